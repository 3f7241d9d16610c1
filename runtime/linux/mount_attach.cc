// The half of a mount plan that is done in the child: async-signal-safe.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "runtime/linux/mount_plan.h"
#include "runtime/linux/path_in_root.h"

namespace strata::linux {
namespace {

// A context's log, one message a read (fsopen(2)): "e proc: Unknown parameter 'x'".
void read_complaint(int context, char* complaint, size_t size) {
  if (complaint == nullptr || size == 0) return;
  const int saved = errno;
  const ssize_t n = ::read(context, complaint, size - 1);
  complaint[n > 0 ? n : 0] = '\0';
  if (n > 2 && complaint[1] == ' ')
    std::memmove(complaint, complaint + 2, static_cast<size_t>(n) - 1);
  errno = saved;
}

int configure(int context, const PlannedMount& mount) {
  if (!mount.source.empty() &&
      ::fsconfig(context, FSCONFIG_SET_STRING, "source", mount.source.c_str(), 0) < 0)
    return -1;
  for (const auto& parameter : mount.options.parameters) {
    const auto command = parameter.is_flag ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
    const char* value = parameter.is_flag ? nullptr : parameter.value.c_str();
    if (::fsconfig(context, command, parameter.key.c_str(), value, 0) < 0) return -1;
  }
  return ::fsconfig(context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0);
}

void say(char* complaint, size_t size, std::string_view text) {
  if (size == 0) return;
  complaint[text.copy(complaint, size - 1)] = '\0';
}

}  // namespace

int set_mount_attributes(int fd, uint64_t set, uint64_t clear, uint64_t propagation,
                         bool recursive) noexcept {
  if (set == 0 && clear == 0 && propagation == 0) return 0;
  mount_attr attributes{};
  attributes.attr_set = set;
  attributes.attr_clr = clear;
  attributes.propagation = propagation;
  return ::mount_setattr(fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attributes,
                         sizeof attributes);
}

int make_filesystem(const PlannedMount& mount, char* complaint, size_t complaint_size) noexcept {
  const UniqueFd context(::fsopen(mount.type.c_str(), FSOPEN_CLOEXEC));
  if (!context) return -1;
  if (configure(context.get(), mount) < 0) {
    read_complaint(context.get(), complaint, complaint_size);
    return -1;
  }
  // Below a new file system there is nothing: recursive attributes are its own.
  const auto attributes = static_cast<unsigned>(mount.options.set | mount.options.recursive_set);
  return ::fsmount(context.get(), FSMOUNT_CLOEXEC, attributes);
}

int attach_mount_in_root(int root, int mount, const Attachment& attachment, char* complaint,
                         size_t complaint_size) noexcept {
  const auto kind = attachment.plain_directory ? PointKind::kPlainDirectory
                    : attachment.is_directory  ? PointKind::kDirectory
                                               : PointKind::kFile;
  const UniqueFd point(open_mount_point(root, attachment.target.c_str(), kind));
  if (!point) return -1;
  // By its name it may be elsewhere: a link of the image can lead to /proc, too.
  const bool covers = attachment.mount != nullptr && attachment.mount->may_cover_proc();
  const bool on_proc = attachment.target == "/proc";
  if ((!covers && is_procfs(point.get())) || (on_proc && !is_procfs(mount))) {
    say(complaint, complaint_size, "only a procfs may be there");
    errno = EPERM;
    return -1;
  }
  return ::move_mount(mount, "", point.get(), "",
                      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

}  // namespace strata::linux
