#include "runtime/linux/own_program.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/linux/mount_plan.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

Result<void> run_from_read_only_mount(char* const* argv) {
  constexpr const char* kSelf = "/proc/self/exe";
  struct statvfs fs {};
  if (::statvfs(kSelf, &fs) < 0) return fail_errno("look at our own program");
  if ((fs.f_flag & ST_RDONLY) != 0) return {};
  const UniqueFd copy(::open_tree(AT_FDCWD, kSelf, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!copy) return fail_errno("mount our own program read-only");
  if (set_mount_attributes(copy.get(), MOUNT_ATTR_RDONLY, 0, MS_PRIVATE, false) < 0)
    return fail_errno("mount our own program read-only");
  ::execveat(copy.get(), "", argv, environ, AT_EMPTY_PATH);
  return fail_errno("run our own program from a read-only mount");
}

}  // namespace strata::linux
