#include "unionfs/overlay_context.h"

#include <fcntl.h>

#include <cerrno>
#include <string>

#include "unionfs/base/file.h"
#include "unionfs/files/proc_path.h"

namespace strata::unionfs {
namespace {

// upperdir and workdir: by path where fsconfig(2) takes it as it is (one system call), else by
// descriptor. Backslashes are escapes in these two (fs/overlayfs/params.c: ovl_mount_dir).
Result<void> set_directory(sys::FsContext& context, const char* key,
                           const std::filesystem::path& path) {
  const std::string& text = path.native();
  if (text.size() <= sys::kMaxFsconfigString && text.find('\\') == std::string::npos)
    return context.set_string(key, text.c_str());
  STRATA_TRY(const UniqueFd fd, open_file(path, O_PATH | O_DIRECTORY));
  if (context.set_fd(key, fd.get())) return {};
  // The descriptor is resolved during this call; it needn't stay open.
  return context.set_string(key, proc_path(fd.get()).c_str());
}

}  // namespace

// Layers by descriptor came with Linux 6.13, with O_PATH descriptors a little later. Before, a
// path through /proc/self/fd is as short and as safe from renames.
Result<void> LayerAdder::add(const char* key, int fd) {
  if (by_fd_) {
    auto added = context_.set_fd(key, fd);
    if (added || (added.error().code != EINVAL && added.error().code != EBADF)) return added;
    by_fd_ = false;
  }
  return context_.set_string(key, proc_path(fd).c_str());
}

Result<void> set_upper(sys::FsContext& context, const Upper& upper, const OverlayOptions& options) {
  STRATA_CHECK(set_directory(context, "upperdir", upper.upper));
  STRATA_CHECK(set_directory(context, "workdir", upper.work));
  // Kernels built without a feature may not know its option; then it is off anyway.
  context.try_set_string("index", "off");
  // Else the first mount writes a UUID of its own into the upper directory (Linux 6.6).
  context.try_set_string("uuid", "null");
  if (options.is_volatile) STRATA_CHECK(context.set_flag("volatile"));
  return {};
}

}  // namespace strata::unionfs
