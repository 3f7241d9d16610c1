#include "unionfs/overlay.h"

#include <sys/mount.h>

#include <string>

#include "unionfs/overlay_context.h"
#include "unionfs/overlay_legacy.h"
#include "unionfs/sys/mount_api.h"

namespace strata::unionfs {
namespace {

constexpr size_t kMaxLayers = 500;  // fs/overlayfs/super.c: OVL_MAX_STACK

std::string describe(const LayerStack& stack) {
  return "mount overlay of " + std::to_string(stack.size()) +
         (stack.size() == 1 ? " layer, " : " layers, top ") + stack.path(0).string();
}

Result<UniqueFd> mount_by_context(const LayerStack& stack, const std::optional<Upper>& upper,
                                  const OverlayOptions& options) {
  STRATA_TRY(sys::FsContext context, sys::FsContext::open("overlay"));
  STRATA_CHECK(context.set_string("source", "overlay"));
  LayerAdder lower(context);
  for (size_t i = 0; i < stack.size(); ++i) {
    if (auto added = lower.add("lowerdir+", stack.fd(i)); !added)
      return fail_in("layer " + std::to_string(i) + " (" + stack.path(i).string() + ")",
                     std::move(added).error());
  }
  // Kernels built without a feature may not know its option; then it is off anyway.
  context.try_set_string("redirect_dir", "nofollow");
  context.try_set_string("metacopy", "off");
  if (upper) STRATA_CHECK(set_upper(context, *upper, options));
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
