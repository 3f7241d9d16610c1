// Steps: the container's file system.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

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

}  // namespace

// The root is put over "/" itself: any place would do, and this one is always there. It must be a
// mount point and its parent must not be shared (pivot_root(2)).
int attach_root(const ChildPlan& plan, ChildState&) noexcept {
  ::umask(0);
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0) return -1;
  return ::move_mount(plan.root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
}

int attach_mounts(const ChildPlan& plan, ChildState& state) noexcept {
  for (const auto& attachment : plan.attachments) {
    if (attachment.fd) {
      if (attach_mount_in_root(plan.root, attachment.fd.get(), attachment) < 0) return -1;
    } else {
      const UniqueFd made(make_filesystem(*attachment.mount, state.report.complaint.data(),
                                          state.report.complaint.size()));
      if (!made || attach_mount_in_root(plan.root, made.get(), attachment) < 0) return -1;
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

int write_sysctls(const ChildPlan& plan, ChildState& state) noexcept {
  for (const auto& sysctl : plan.sysctls) {
    const UniqueFd fd(sys::openat2(plan.root, sysctl.path.c_str(), O_WRONLY, sys::kInRoot));
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
    const UniqueFd target(open_in_root(plan.root, path.c_str()));
    struct stat st {};
    if (!target && errno != ENOENT && errno != ENOTDIR) return -1;
    if (target) {
      if (::fstat(target.get(), &st) < 0) return -1;
      if (!S_ISDIR(st.st_mode) && !null) null.reset(open_in_root(plan.root, "/dev/null"));
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
    const UniqueFd target(open_in_root(plan.root, path.c_str()));
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
  if (plan.readonly_root && set_mount_attributes(plan.root, MOUNT_ATTR_RDONLY, 0, 0, false) < 0)
    return -1;
  if (::fchdir(plan.root) < 0 || sys::pivot_root(".", ".") < 0 || ::umount2(".", MNT_DETACH) < 0)
    return -1;
  if (::chdir("/") < 0) return -1;
  // Not before: a shared root can't be pivoted to.
  if (plan.root_propagation == 0) return 0;
  const unsigned long depth = plan.recursive_root_propagation ? MS_REC : 0;
  return ::mount(nullptr, "/", nullptr, plan.root_propagation | depth, nullptr);
}

int enter_directory(const ChildPlan& plan, ChildState&) noexcept {
  const char* path = plan.directory.c_str();
  if (::chdir(path) == 0) return 0;
  if (errno != ENOENT || make_directories(path) < 0) return -1;
  return ::chdir(path);
}

}  // namespace strata::linux
