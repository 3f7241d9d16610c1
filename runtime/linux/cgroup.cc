// Creating and removing; cgroup_control.cc has what is done to a cgroup in between.

#include "runtime/linux/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <thread>

#include "runtime/linux/cgroup_files.h"
#include "runtime/linux/cgroup_hierarchies.h"
#include "runtime/linux/cgroup_resources.h"
#include "unionfs/base/file.h"
#include "unionfs/base/undo.h"

namespace strata::linux {
namespace {

using namespace std::chrono_literals;

// Whether a container needs a directory in this hierarchy; cgroup.h says why.
bool is_needed(const CgroupHierarchy& hierarchy, bool hybrid,
               const std::vector<std::string_view>& limited) {
  if (hierarchy.unified) return true;
  const auto needed = [&](const std::string& controller) {
    if (controller == "memory" || controller == "pids" || controller == "devices") return true;
    if (!hybrid && (controller == "freezer" || controller == "cpuacct")) return true;
    return std::find(limited.begin(), limited.end(), controller) != limited.end();
  };
  return std::any_of(hierarchy.controllers.begin(), hierarchy.controllers.end(), needed);
}

// A v1 cpuset takes no process until it has CPUs and memory nodes, and starts with none
// (Documentation/admin-guide/cgroup-v1/cpusets.rst): those of the parent, from the top down.
Result<void> inherit_cpuset(const std::filesystem::path& directory) {
  for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {
    Cgroup::Directory parent{.path = directory.parent_path()};
    Cgroup::Directory child{.path = directory};
    parent.fd.reset(::open(parent.path.c_str(), O_PATH | O_CLOEXEC));
    child.fd.reset(::open(child.path.c_str(), O_PATH | O_CLOEXEC));
    const auto own = read_cgroup_file(child, file);
    if (own && own->find_first_not_of(" \n") != std::string::npos) continue;
    const auto value = read_cgroup_file(parent, file);
    if (value) STRATA_CHECK(write_cgroup_file(child, file, *value));
  }
  return {};
}

// mkdir -p up to the hierarchy's mount; the last directory must be new.
Result<void> make_directory(const CgroupHierarchy& hierarchy, const std::filesystem::path& path) {
  const bool cpuset = hierarchy.has("cpuset");
  if (::mkdir(path.c_str(), 0755) < 0) {
    if (errno != ENOENT || path.native().size() <= hierarchy.mount.size())
      return fail_errno("create cgroup " + path.string());
    const auto parent = make_directory(hierarchy, path.parent_path());
    if (!parent && parent.error().code != EEXIST) return parent;
    if (::mkdir(path.c_str(), 0755) < 0) return fail_errno("create cgroup " + path.string());
  }
  return cpuset ? inherit_cpuset(path) : Result<void>();
}

Result<void> check_path(const std::string& path) {
  const bool bad = path.size() < 2 || path.front() != '/' || path.back() == '/' ||
                   path.find("//") != std::string::npos ||
                   (path + "/").find("/../") != std::string::npos;
  if (bad) return fail(EINVAL, "cgroup path '" + path + "' is not absolute and plain");
  return {};
}

// Whether we may go from the cgroup that we are in to one below `path`: that takes writing to their
// nearest common one (cgroup-v2.rst, "Delegation Containment"). A v1 hierarchy does not ask.
bool may_join(const CgroupHierarchy& hierarchy, const std::string& path) {
  if (!hierarchy.unified) return true;
  std::filesystem::path common = Cgroup::own_parent();
  while (common.has_relative_path() && !(path + "/").starts_with(common.native() + "/"))
    common = common.parent_path();
  const auto procs =
      hierarchy.mount + (common.has_relative_path() ? common.native() : "") + "/cgroup.procs";
  return ::faccessat(AT_FDCWD, procs.c_str(), W_OK, AT_EACCESS) == 0;
}

// Removes a directory and those below it. EBUSY as long as processes are inside.
int remove_directory(const std::string& path) {
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return 0;
  if (errno != EBUSY) return errno;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(path, ec)) {
    if (!entry.is_directory(ec)) continue;
    if (const int code = remove_directory(entry.path()); code != 0) return code;
  }
  return ::rmdir(path.c_str()) == 0 || errno == ENOENT ? 0 : errno;
}

Result<void> remove_when_empty(const std::string& path) {
  constexpr auto kPatience = 2s;
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  auto pause = 100us;
  for (;;) {
    const int code = remove_directory(path);
    if (code == 0) return {};
    if (code != EBUSY || std::chrono::steady_clock::now() > deadline)
      return fail_errno("remove cgroup " + path, code);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds(20ms));
  }
}

}  // namespace

Result<void> Cgroup::add_directory(const CgroupHierarchy& hierarchy, const std::string& path) {
  std::string full = hierarchy.mount + path;
  STRATA_CHECK(make_directory(hierarchy, full));
  UniqueFd fd(::open(full.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    const int code = errno;
    ::rmdir(full.c_str());
    return fail_errno("open cgroup " + full, code);
  }
  directories_.push_back(
      {std::move(full), hierarchy.controllers, hierarchy.unified, std::move(fd)});
  return {};
}

Result<Cgroup> Cgroup::create(const std::string& path, const oci::Resources& resources,
                              CgroupObserver observer) {
  STRATA_CHECK(check_path(path));
  const auto& host = CgroupHierarchies::host();
  const bool hybrid = host.unified() != nullptr;
  auto limited = controllers_for(resources);
  if (observer == CgroupObserver::kEngine) limited.insert(limited.end(), {"cpuacct", "blkio"});
  Cgroup cgroup;
  cgroup.path_ = path;
  Undo undo;
  undo.add([&] { [[maybe_unused]] const auto removed = cgroup.remove(); });
  for (const auto& hierarchy : host.all()) {
    if (is_needed(hierarchy, hybrid, limited)) STRATA_CHECK(cgroup.add_directory(hierarchy, path));
  }
  if (cgroup.directories_.empty()) return fail(ENOTSUP, "no cgroup file system is mounted");
  STRATA_CHECK(apply_resources(cgroup.directories_, resources));
  undo.release();
  return cgroup;
}

std::string Cgroup::own_parent() {
  const auto text = read_file("/proc/self/cgroup").value_or("");
  const auto at = text.rfind("0::", 0) == 0 ? 0 : text.find("\n0::");
  if (at == std::string::npos) return {};
  const auto start = text.find('/', at);
  const auto own = text.substr(start, text.find('\n', start) - start);
  return std::filesystem::path(own).parent_path();
}

Result<Cgroup> Cgroup::create_where_permitted(const std::string& path,
                                              const oci::Resources& resources) {
  STRATA_CHECK(check_path(path));
  Cgroup cgroup;
  cgroup.path_ = path;
  Undo undo;
  undo.add([&] { [[maybe_unused]] const auto removed = cgroup.remove(); });
  Result<void> denied;
  for (const auto& hierarchy : CgroupHierarchies::host().all()) {
    auto added = may_join(hierarchy, path) ? cgroup.add_directory(hierarchy, path)
                                           : Result<void>(fail_errno("move to " + path, EACCES));
    if (added) continue;
    const int code = added.error().code;
    if (code != EACCES && code != EPERM && code != EROFS) return std::unexpected(added.error());
    denied = std::move(added);
  }
  if (auto applied = apply_limits(cgroup.directories_, resources); !applied) {
    if (denied || applied.error().code != ENOTSUP) return std::unexpected(applied.error());
    return fail_in(applied.error().what + " that this user may use", std::move(denied).error());
  }
  undo.release();
  return cgroup;
}

// Those that are forked meanwhile are in the old place: until there is none left to be moved.
Result<void> Cgroup::move_processes(const Directory& directory) const {
  constexpr int kRounds = 100;
  for (int round = 0; round < kRounds; ++round) {
    const std::string inside = read_cgroup_file(directory, "cgroup.procs").value_or("");
    bool moved = false;
    for (const pid_t pid : processes()) {
      const std::string number = std::to_string(pid);
      if (("\n" + inside).find("\n" + number + "\n") != std::string::npos) continue;
      const auto written = write_cgroup_file(directory, "cgroup.procs", number);
      if (!written && written.error().code != ESRCH) return written;
      moved = true;
    }
    if (!moved) return {};
  }
  return fail(EBUSY, "move processes to " + directory.path + ": they fork faster than they move");
}

Result<void> Cgroup::update(const oci::Resources& resources) {
  const auto limited = controllers_for(resources);
  const auto has_directory = [&](const CgroupHierarchy& hierarchy) {
    return std::any_of(directories_.begin(), directories_.end(), [&](const Directory& directory) {
      return directory.controllers == hierarchy.controllers;
    });
  };
  for (const auto& hierarchy : CgroupHierarchies::host().all()) {
    const bool asked = std::any_of(limited.begin(), limited.end(),
                                   [&](std::string_view name) { return hierarchy.has(name); });
    if (!asked || has_directory(hierarchy)) continue;
    STRATA_CHECK(add_directory(hierarchy, path_));
    STRATA_CHECK(move_processes(directories_.back()));
  }
  return apply_limits(directories_, resources);
}

Cgroup Cgroup::existing(const std::string& path) {
  Cgroup cgroup;
  if (!check_path(path)) return cgroup;
  cgroup.path_ = path;
  for (const auto& hierarchy : CgroupHierarchies::host().all()) {
    std::string full = hierarchy.mount + path;
    UniqueFd fd(::open(full.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd && errno == ENOENT) continue;  // else it is there, and can still be removed by name
    cgroup.directories_.push_back(
        {std::move(full), hierarchy.controllers, hierarchy.unified, std::move(fd)});
  }
  return cgroup;
}

Result<void> Cgroup::remove() const {
  Result<void> outcome;
  for (const auto& directory : directories_) {
    auto removed = remove_when_empty(directory.path);
    if (!removed && outcome) outcome = std::move(removed);
  }
  return outcome;
}

}  // namespace strata::linux
