#include "unionfs/files/apply_attributes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>

#include "unionfs/files/proc_path.h"

namespace strata::unionfs {
namespace {

struct Times {
  explicit Times(const Attributes& attributes)
      : values{attributes.atime.value_or(timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}),
               attributes.mtime} {}
  timespec values[2];
};

}  // namespace

Result<void> apply_attributes(int fd, const Attributes& attributes) {
  if (::fchown(fd, attributes.uid, attributes.gid) < 0) return fail_errno("set the owner");
  if (::fchmod(fd, attributes.mode) < 0) return fail_errno("set the mode");
  for (const Xattr& xattr : attributes.xattrs) {
    if (::fsetxattr(fd, xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) < 0)
      return fail_errno("set extended attribute " + xattr.name);
  }
  if (::futimens(fd, Times(attributes).values) < 0) return fail_errno("set the times");
  return {};
}

Result<void> apply_attributes_at(int directory, const char* name, bool is_symlink,
                                 const Attributes& attributes) {
  if (::fchownat(directory, name, attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW) < 0)
    return fail_errno("set the owner");
  if (!is_symlink && ::fchmodat(directory, name, attributes.mode, 0) < 0)
    return fail_errno("set the mode");
  for (const Xattr& xattr : attributes.xattrs) {
    if (::lsetxattr(proc_path(directory, name).c_str(), xattr.name.c_str(), xattr.value.data(),
                    xattr.value.size(), 0) < 0)
      return fail_errno("set extended attribute " + xattr.name);
  }
  if (::utimensat(directory, name, Times(attributes).values, AT_SYMLINK_NOFOLLOW) < 0)
    return fail_errno("set the times");
  return {};
}

}  // namespace strata::unionfs
