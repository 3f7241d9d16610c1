#include "runtime/vm/module_set.h"

#include <algorithm>
#include <functional>
#include <system_error>

#include "unionfs/base/file.h"

namespace strata::vm {

Result<ModuleSet> ModuleSet::open(const std::filesystem::path& dir) {
  ModuleSet set;
  set.dir_ = dir;
  std::error_code ec;
  for (std::filesystem::recursive_directory_iterator it(dir, ec), end; !ec && it != end;
       it.increment(ec)) {
    if (auto name = module_name(it->path()); !name.empty())
      set.files_.emplace(std::move(name), it->path());
  }
  if (ec) return fail_errno("read kernel modules in " + dir.string(), ec.value());
  STRATA_TRY(const auto builtin, read_file_if_exists(dir / "modules.builtin"));
  std::string_view lines = builtin ? std::string_view(*builtin) : std::string_view();
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    set.builtin_.insert(module_name(line));
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
  }
  return set;
}

std::filesystem::path ModuleSet::file(const std::string& name) const {
  const auto it = files_.find(name);
  return it != files_.end() ? it->second : std::filesystem::path();
}

Result<std::vector<Module>> ModuleSet::resolve(const std::vector<std::string>& wanted) const {
  std::vector<Module> order;
  std::set<std::string> done;
  std::set<std::string> open;  // on the way down: met again, it is a circle
  const std::function<Result<void>(const std::string&)> visit =
      [&](const std::string& name) -> Result<void> {
    if (done.contains(name) || builtin_.contains(name)) return {};
    if (!open.insert(name).second)
      return fail(ELOOP, "kernel module " + name + " depends on itself");
    const auto path = file(name);
    if (path.empty())
      return fail(ENOENT, "no kernel module " + name + " in " + dir_.string() +
                              ", and it is not compiled into the kernel");
    STRATA_TRY(Module module, read_module(path));
    for (const auto& dependency : module.depends) STRATA_CHECK(visit(dependency));
    done.insert(name);
    order.push_back(std::move(module));
    return {};
  };
  for (const auto& name : wanted) STRATA_CHECK(visit(name));
  return order;
}

}  // namespace strata::vm
