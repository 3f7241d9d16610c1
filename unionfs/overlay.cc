#include "unionfs/overlay.h"

#include <fcntl.h>
#include <sys/mount.h>

#include <string>

#include "unionfs/base/file.h"
#include "unionfs/overlay_legacy.h"
#include "unionfs/sys/mount_api.h"

namespace strata::unionfs {
namespace {

constexpr size_t kMaxLayers = 500;  // fs/overlayfs/super.c: OVL_MAX_STACK

std::string describe(const LayerStack& stack) {
  return "mount overlay of " + std::to_string(stack.size()) +
         (stack.size() == 1 ? " layer, " : " layers, top ") + stack.path(0).string();
}

// Layers by descriptor came with Linux 6.13, with O_PATH descriptors a little later. Before, a
// path through /proc/self/fd is as short and as safe from renames.
Result<void> add_lower(sys::FsContext& context, int fd, bool& by_fd) {
  if (by_fd) {
    auto added = context.set_fd("lowerdir+", fd);
    if (added || (added.error().code != EINVAL && added.error().code != EBADF)) return added;
    by_fd = false;
  }
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  return context.set_string("lowerdir+", path.c_str());
}

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
  return context.set_string(key, ("/proc/self/fd/" + std::to_string(fd.get())).c_str());
}

Result<UniqueFd> mount_by_context(const LayerStack& stack, const std::optional<Upper>& upper,
                                  const OverlayOptions& options) {
  STRATA_TRY(sys::FsContext context, sys::FsContext::open("overlay"));
  STRATA_CHECK(context.set_string("source", "overlay"));
  bool by_fd = true;
  for (size_t i = 0; i < stack.size(); ++i) {
    if (auto added = add_lower(context, stack.fd(i), by_fd); !added)
      return fail_in("layer " + std::to_string(i) + " (" + stack.path(i).string() + ")",
                     std::move(added).error());
  }
  // Kernels built without a feature may not know its option; then it is off anyway.
  context.try_set_string("redirect_dir", "nofollow");
  context.try_set_string("metacopy", "off");
  if (upper) {
    STRATA_CHECK(set_directory(context, "upperdir", upper->upper));
    STRATA_CHECK(set_directory(context, "workdir", upper->work));
    context.try_set_string("index", "off");
    // Else the first mount writes a UUID of its own into the upper directory (Linux 6.6).
    context.try_set_string("uuid", "null");
    if (options.is_volatile) STRATA_CHECK(context.set_flag("volatile"));
  }
  return context.create_mount(0);
}

}  // namespace

Result<UniqueFd> mount_overlay(const LayerStack& stack, const std::optional<Upper>& upper,
                               const OverlayOptions& options) {
  if (stack.size() > kMaxLayers)
    return fail(E2BIG, describe(stack) + ": the kernel takes no more than " +
                           std::to_string(kMaxLayers) + " layers in one mount");
  if (stack.size() == 1 && !upper)
    return sys::clone_mount(stack.fd(0), MOUNT_ATTR_RDONLY, stack.path(0).native());

  auto mount = mount_by_context(stack, upper, options);
  // Before Linux 6.5 overlayfs had no context of its own, and the stand-in for such file systems
  // (fs/fs_context.c: legacy_fs_context_ops) takes no descriptors.
  if (!mount && mount.error().code == EOPNOTSUPP)
    mount = mount_overlay_legacy(stack, upper, options);
  if (!mount) return fail_in(describe(stack), std::move(mount).error());
  return mount;
}

Result<void> attach_mount(int mount_fd, const std::filesystem::path& target) {
  return sys::move_mount(mount_fd, target.c_str());
}

}  // namespace strata::unionfs
