#include "unionfs/sys/mount_api.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace strata::unionfs::sys {
namespace {

// The log of a context is read one message a read(2), each "<level> <text>", level e, w or i
// (fs/fsopen.c: fscontext_read). ENODATA when there is no more.
std::string kernel_log(int fd) {
  std::string text;
  std::array<char, 1024> line{};
  for (;;) {
    ssize_t n = ::read(fd, line.data(), line.size());
    if (n <= 0) return text;
    while (n > 0 && line[n - 1] == '\n') --n;
    std::string_view message(line.data(), n);
    if (message.size() > 2 && message[1] == ' ') message.remove_prefix(2);
    if (!text.empty()) text += "; ";
    text += message;
  }
}

}  // namespace

Result<FsContext> FsContext::open(const char* fs_type) {
  UniqueFd fd(::fsopen(fs_type, FSOPEN_CLOEXEC));
  if (!fd) return fail_errno("fsopen " + std::string(fs_type));
  return FsContext(std::move(fd), fs_type);
}

std::unexpected<Error> FsContext::failure(std::string_view what) const {
  const int code = errno;
  Error error = posix_error(std::string(fs_type_) + ": " + std::string(what), code);
  const std::string log = kernel_log(fd_.get());
  error.what += log.empty() ? " (dmesg may say more)" : " (kernel: " + log + ")";
  return std::unexpected(std::move(error));
}

Result<void> FsContext::set_string(const char* key, const char* value) {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key, value, 0) == 0) return {};
  return failure("set " + std::string(key) + "=" + value);
}

Result<void> FsContext::set_fd(const char* key, int fd) {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_FD, key, nullptr, fd) == 0) return {};
  return failure("set " + std::string(key) + " by descriptor");
}

Result<void> FsContext::set_flag(const char* key) {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_FLAG, key, nullptr, 0) == 0) return {};
  return failure("set " + std::string(key));
}

void FsContext::try_set_string(const char* key, const char* value) {
  if (::fsconfig(fd_.get(), FSCONFIG_SET_STRING, key, value, 0) < 0) kernel_log(fd_.get());
}

Result<UniqueFd> FsContext::create_mount(unsigned attributes) {
  if (::fsconfig(fd_.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0)
    return failure("create the file system");
  UniqueFd mount(::fsmount(fd_.get(), FSMOUNT_CLOEXEC, attributes));
  if (!mount) return failure("fsmount");
  return mount;
}

Result<UniqueFd> clone_mount(int fd, unsigned attributes, std::string_view name) {
  UniqueFd mount(::open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (!mount) return fail_errno("open_tree " + std::string(name));
  mount_attr attr{};
  attr.attr_set = attributes;
  if (::mount_setattr(mount.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
    return fail_errno("mount_setattr " + std::string(name));
  return mount;
}

Result<UniqueFd> clone_mount(const char* path) {
  UniqueFd mount(::open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!mount) return fail_errno("open_tree " + std::string(path));
  return mount;
}

Result<void> move_mount(int mount_fd, const char* target) {
  if (::move_mount(mount_fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0) return {};
  return fail_errno("attach a mount at " + std::string(target));
}

}  // namespace strata::unionfs::sys
