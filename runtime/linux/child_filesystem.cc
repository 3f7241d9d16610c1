// Steps: the container's file system.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "runtime/linux/child_steps.h"
#include "runtime/linux/path_in_root.h"
#include "runtime/linux/sys.h"

namespace strata::linux {
namespace {

int move_to(int mount, int target) {
  return ::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

UniqueFd clone_mount(int fd) {
  return UniqueFd(::open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
}

// One empty, read-only tmpfs hides all directories: a new superblock for each would take longer
// than everything else about it. It takes no file even if it were made writable.
UniqueFd make_cover() {
  const UniqueFd context(::fsopen("tmpfs", FSOPEN_CLOEXEC));
  if (!context || ::fsconfig(context.get(), FSCONFIG_SET_STRING, "source", "tmpfs", 0) < 0 ||
      ::fsconfig(context.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0) < 0 ||
      ::fsconfig(context.get(), FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return {};
  return UniqueFd(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY));
}

// The first directory takes the cover itself, the others copies of it (a mount can be copied only
// once it is attached).
int cover_directory(int target, UniqueFd& cover) {
  if (cover) {
    const UniqueFd copy = clone_mount(cover.get());
    return copy ? move_to(copy.get(), target) : -1;
  }
  cover = make_cover();
  return cover ? move_to(cover.get(), target) : -1;
}

int cover_file(int target, const UniqueFd& null) {
  const UniqueFd copy = clone_mount(null.get());
  return copy ? move_to(copy.get(), target) : -1;
}

// The device itself, and nothing that the image or another container put in its place
// (CVE-2025-31133).
UniqueFd open_null(int root, SetupReport& report) {
  UniqueFd null(sys::openat2(root, "/dev/null", O_PATH, sys::kInRoot));
  struct stat st {};
  if (!null || ::fstat(null.get(), &st) < 0) return {};
  if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) return null;
  complain(report, "/dev/null is not the device");
  errno = EINVAL;
  return {};
}

// mkdir -p inside the container, of which this process is already a part.
int make_directories(const char* path) {
  std::array<char, PATH_MAX> partial{};
  const size_t size = std::strlen(path);
  if (size >= partial.size()) {
    errno = ENAMETOOLONG;
    return -1;
  }
  for (size_t i = 1; i <= size; ++i) {
    if (path[i] != '/' && path[i] != '\0') continue;
    std::memcpy(partial.data(), path, i);
    partial[i] = '\0';
    if (::mkdir(partial.data(), 0755) < 0 && errno != EEXIST) return -1;
  }
  return 0;
}

// A path of the container to be covered. Below /proc and /sys it counts from what was mounted
// there: another container that has the same root may have renamed the directories since
// (CVE-2019-19921).
int open_covered(const ChildPlan& plan, const ChildState& state, const std::string& path) {
  const auto below = [&](const UniqueFd& mount, const char* name) {
    const size_t size = std::strlen(name);
    return mount && path.starts_with(name) && (path.size() == size || path[size] == '/') ? size : 0;
  };
  for (const auto& [mount, name] : {std::pair(&state.proc, "/proc"), {&state.sys, "/sys"}})
    if (const size_t size = below(*mount, name))
      return open_in_root(mount->get(), path.size() == size ? "." : path.c_str() + size);
  return open_in_root(plan.root, path.c_str());
}

}  // namespace

// The root is put over "/" itself: any place would do, and this one is always there. It must be a
// mount point and its parent must not be shared (pivot_root(2)).
int attach_root(const ChildPlan& plan, ChildState&) noexcept {
  ::umask(0);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return -1;
  return ::move_mount(plan.root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
}

int attach_mounts(const ChildPlan& plan, ChildState& state) noexcept {
  char* const complaint = state.report.complaint.data();
  const size_t size = state.report.complaint.size();
  for (const auto& attachment : plan.attachments) {
    if (attachment.fd) {
      if (attach_mount_in_root(plan.root, attachment.fd.get(), attachment, complaint, size) < 0)
        return -1;
    } else {
      UniqueFd made(make_filesystem(*attachment.mount, complaint, size));
      if (!made || attach_mount_in_root(plan.root, made.get(), attachment, complaint, size) < 0)
        return -1;
      if (attachment.target == "/proc") state.proc = std::move(made);
      if (attachment.target == "/sys") state.sys = std::move(made);
    }
    ++state.report.index;
  }
  return 0;
}

int make_devices(const ChildPlan& plan, ChildState& state) noexcept {
  for (const auto& device : plan.devices) {
    if (make_node(plan.root, device.path.c_str(), device) < 0) return -1;
    ++state.report.index;
  }
  return 0;
}

// By no link and over no mount: what is written there must not end in another file
// (CVE-2025-52881).
int write_sysctls(const ChildPlan& plan, ChildState& state) noexcept {
  if (plan.sysctls.empty()) return 0;
  const UniqueFd proc(open_covered(plan, state, "/proc"));
  if (!proc) return -1;
  if (!is_procfs(proc.get())) {
    complain(state.report, "/proc is not a procfs");
    errno = EXDEV;
    return -1;
  }
  constexpr size_t kPrefix = sizeof "/proc/" - 1;
  constexpr uint64_t kResolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  for (const auto& sysctl : plan.sysctls) {
    const UniqueFd fd(sys::openat2(proc.get(), sysctl.path.c_str() + kPrefix, O_WRONLY, kResolve));
    if (!fd || ::write(fd.get(), sysctl.value.data(), sysctl.value.size()) < 0) return -1;
    ++state.report.index;
  }
  return 0;
}

int mask_paths(const ChildPlan& plan, ChildState& state) noexcept {
  if (plan.masked_paths.empty()) return 0;
  UniqueFd cover;
  UniqueFd null;
  for (const auto& path : plan.masked_paths) {
    const UniqueFd target(open_covered(plan, state, path));
    struct stat st {};
    if (!target && errno != ENOENT && errno != ENOTDIR) return -1;
    if (target) {
      if (::fstat(target.get(), &st) < 0) return -1;
      if (!S_ISDIR(st.st_mode) && !null) {
        null = open_null(plan.root, state.report);
        if (!null) return -1;
      }
      const int done = S_ISDIR(st.st_mode) ? cover_directory(target.get(), cover)
                                           : cover_file(target.get(), null);
      if (done < 0) return -1;
    }
    ++state.report.index;
  }
  return 0;
}

int protect_paths(const ChildPlan& plan, ChildState& state) noexcept {
  for (const auto& path : plan.readonly_paths) {
    const UniqueFd target(open_covered(plan, state, path));
    if (!target && errno != ENOENT && errno != ENOTDIR) return -1;
    if (target) {
      const UniqueFd copy(::open_tree(
          target.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE));
      if (!copy || set_mount_attributes(copy.get(), MOUNT_ATTR_RDONLY, 0, 0, true) < 0 ||
          move_to(copy.get(), target.get()) < 0)
        return -1;
    }
    ++state.report.index;
  }
  return 0;
}

// pivot_root(".", ".") stacks the old root on the new one, where it is at once let go
// (pivot_root(2), NOTES).
int pivot_root(const ChildPlan& plan, ChildState&) noexcept {
  if (::fchdir(plan.root) < 0 || sys::pivot_root(".", ".") < 0 || ::umount2(".", MNT_DETACH) < 0)
    return -1;
  if (::chdir("/") < 0) return -1;
  if (plan.readonly_root) {
    // Later it can't be made any more; what is wrong with it is said when it is entered.
    [[maybe_unused]] const int made = make_directories(plan.directory.c_str());
    if (set_mount_attributes(plan.root, MOUNT_ATTR_RDONLY, 0, 0, false) < 0) return -1;
  }
  // Not before: a shared root can't be pivoted to. The mounts below receive nothing by now, but for
  // those whose own options say so: these keep it.
  if (plan.root_propagation == 0) return 0;
  const bool all =
      plan.recursive_root_propagation && (plan.root_propagation & (MS_SLAVE | MS_PRIVATE)) == 0;
  const unsigned long depth = all ? MS_REC : 0;
  return ::mount(nullptr, "/", nullptr, plan.root_propagation | depth, nullptr);
}

// A descriptor that the caller left to the program may lead out of its root (/proc/self/fd/3,
// CVE-2024-21626): then the kernel has no path for it that begins with "/" (getcwd(2)).
int enter_directory(const ChildPlan& plan, ChildState& state) noexcept {
  const char* path = plan.directory.c_str();
  if (::chdir(path) < 0) {
    if (errno != ENOENT || make_directories(path) < 0 || ::chdir(path) < 0) return -1;
  }
  std::array<char, PATH_MAX> where{};
  if (::syscall(SYS_getcwd, where.data(), where.size()) < 0) return -1;
  if (where[0] == '/') return 0;
  complain(state.report, "it is not inside of the container");
  errno = EXDEV;
  return -1;
}

}  // namespace strata::linux
