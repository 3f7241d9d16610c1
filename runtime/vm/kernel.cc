#include "runtime/vm/kernel.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "runtime/image/workspace.h"
#include "runtime/vm/archive.h"
#include "runtime/vm/bzimage.h"
#include "runtime/vm/initramfs.h"
#include "runtime/vm/module_set.h"
#include "unionfs/base/file.h"

namespace strata::vm {
namespace {

constexpr std::string_view kImagePrefix = "boot/vmlinuz-";

std::filesystem::path kernels_dir(const image::Store& store) {
  return store.vm_dir() / "kernels";
}

Result<Kernel> open_kernel(const std::filesystem::path& dir) {
  STRATA_TRY(auto package, read_file_if_exists(dir / "package"));
  Kernel kernel{.version = dir.filename(), .image = dir / "vmlinux", .modules = dir / "modules"};
  if (package) kernel.package = package->substr(0, package->find('\n'));
  return kernel;
}

// lib/modules/VERSION/kernel/…/x.ko and modules.builtin; from Debian 13 on below usr/.
bool belongs_to_modules(const std::string& path) {
  const bool in_place = path.starts_with("lib/modules/") || path.starts_with("usr/lib/modules/");
  return in_place && (!module_name(path).empty() || path.ends_with("/modules.builtin"));
}

struct Unpacked {
  std::string version;
  std::string vmlinux;
};

// Everything of the package that may be needed: modules go to files in `dir`.
Result<Unpacked> unpack_package(const std::filesystem::path& deb,
                                const std::filesystem::path& dir) {
  Unpacked unpacked;
  const auto wanted = [](const std::string& path) {
    return path.starts_with(kImagePrefix) || belongs_to_modules(path);
  };
  const auto take = [&](const std::string& path, const std::string& content) -> Result<void> {
    const auto name = std::filesystem::path(path).filename();
    if (!path.starts_with(kImagePrefix))
      return write_file_atomic(dir / name, content, Durability::kAtomic);
    unpacked.version = path.substr(kImagePrefix.size());
    STRATA_TRY(unpacked.vmlinux, extract_vmlinux(content, path));
    return {};
  };
  STRATA_CHECK(read_deb(deb, wanted, take));
  if (unpacked.version.empty())
    return fail(EINVAL, deb.string() + " holds no kernel: no " + std::string(kImagePrefix) + "*");
  if (unpacked.version.find('/') != std::string::npos || unpacked.version.starts_with('.'))
    return fail(EINVAL, deb.string() + ": bad kernel version '" + unpacked.version + "'");
  return unpacked;
}

// Copies what guests of any machine need out of `all`.
Result<void> pick_modules(const std::filesystem::path& all, const std::filesystem::path& to) {
  STRATA_CHECK(make_dirs(to));
  STRATA_TRY(const ModuleSet set, ModuleSet::open(all));
  STRATA_TRY(const auto modules, set.resolve(all_modules()));
  for (const auto& module : modules) {
    const auto file = set.file(module.name);
    STRATA_TRY(const std::string content, read_file(file));
    STRATA_CHECK(write_file_atomic(to / file.filename(), content, Durability::kAtomic));
  }
  STRATA_TRY(const auto builtin, read_file_if_exists(all / "modules.builtin"));
  if (!builtin) return {};
  return write_file_atomic(to / "modules.builtin", *builtin, Durability::kAtomic);
}

}  // namespace

Result<std::vector<Kernel>> list_kernels(const image::Store& store) {
  std::vector<Kernel> kernels;
  STRATA_TRY(const auto dirs, image::list_dir(kernels_dir(store)));
  for (const auto& dir : dirs) {
    STRATA_TRY(Kernel kernel, open_kernel(dir));
    kernels.push_back(std::move(kernel));
  }
  std::sort(kernels.begin(), kernels.end(), [](const Kernel& a, const Kernel& b) {
    return ::strverscmp(a.version.c_str(), b.version.c_str()) > 0;
  });
  return kernels;
}

Result<std::optional<Kernel>> find_kernel(const image::Store& store) {
  STRATA_TRY(auto kernels, list_kernels(store));
  if (kernels.empty()) return std::nullopt;
  return std::move(kernels.front());
}

Result<Kernel> unpack_kernel(const image::Store& store, const std::filesystem::path& deb,
                             std::string_view package) {
  STRATA_TRY(image::Workspace work, image::Workspace::create(store));
  const auto all = work.fresh_path();
  const auto made = work.fresh_path();
  STRATA_CHECK(make_dirs(all));
  STRATA_CHECK(make_dirs(made));
  STRATA_TRY(const Unpacked unpacked, unpack_package(deb, all));
  STRATA_CHECK(pick_modules(all, made / "modules"));
  STRATA_CHECK(write_file_atomic(made / "vmlinux", unpacked.vmlinux, Durability::kAtomic));
  STRATA_CHECK(write_file_atomic(made / "package", std::string(package) + "\n"));
  STRATA_CHECK(work.sync());

  const auto target = kernels_dir(store) / unpacked.version;
  STRATA_CHECK(make_dirs(kernels_dir(store)));
  // Another process may have been quicker; its kernel is as good.
  if (::rename(made.c_str(), target.c_str()) < 0 && errno != ENOTEMPTY && errno != EEXIST)
    return fail_errno("rename to " + target.string());
  STRATA_CHECK(fsync_dir(kernels_dir(store)));
  return open_kernel(target);
}

Result<Kernel> custom_kernel(const std::filesystem::path& image,
                             const std::filesystem::path& modules) {
  STRATA_TRY(const auto file, open_file(image, O_RDONLY));
  struct stat st {};
  if (::fstat(file.get(), &st) == 0 && !S_ISREG(st.st_mode))
    return fail(EINVAL, "kernel " + image.string() + " is not a file");
  return Kernel{.version = image.filename(),
                .image = std::filesystem::absolute(image),
                .modules = std::filesystem::absolute(modules)};
}

}  // namespace strata::vm
