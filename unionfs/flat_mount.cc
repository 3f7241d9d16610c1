#include "unionfs/flat_mount.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/overlay_context.h"
#include "unionfs/sys/loop_device.h"
#include "unionfs/sys/mount_api.h"

namespace strata::unionfs {
namespace {

Result<UniqueFd> mount_erofs(const std::string& source) {
  auto context = sys::FsContext::open("erofs");
  if (!context && context.error().code == ENODEV) return fail(ENODEV, "this kernel has no EROFS");
  if (!context) return std::unexpected(std::move(context).error());
  STRATA_CHECK(context->set_string("source", source.c_str()));
  STRATA_CHECK(context->set_flag("ro"));
  return context->create_mount(MOUNT_ATTR_RDONLY);
}

Result<void> add_layers(sys::FsContext& context, int image_mount, const FlatImage& image) {
  LayerAdder layers(context);
  STRATA_CHECK(layers.add("lowerdir+", image_mount));
  for (const std::filesystem::path& data : image.data) {
    STRATA_TRY(const UniqueFd fd, open_file(data, O_PATH | O_DIRECTORY));
    auto added = layers.add("datadir+", fd.get());
    if (!added && added.error().code == EINVAL && &data == &image.data.front())
      return fail(EOPNOTSUPP, "this kernel's overlayfs has no data-only layers (Linux 6.5): " +
                                  added.error().what);
    if (!added) return fail_in("data layer " + data.string(), std::move(added).error());
  }
  return {};
}

Result<UniqueFd> mount_here(int image_mount, const FlatImage& image,
                            const std::optional<Upper>& upper, const OverlayOptions& options,
                            bool metacopy) {
  auto opened = sys::FsContext::open("overlay");
  if (!opened && opened.error().code == ENODEV) return fail(ENODEV, "this kernel has no overlayfs");
  STRATA_TRY(sys::FsContext context, std::move(opened));
  STRATA_CHECK(context.set_string("source", "overlay"));
  STRATA_CHECK(add_layers(context, image_mount, image));
  if (metacopy) {
    STRATA_CHECK(context.set_string("metacopy", "on"));
    STRATA_CHECK(context.set_string("redirect_dir", "on"));  // metacopy=on takes no less
  } else {
    // Kernels built without a feature may not know its option; then it is off anyway.
    context.try_set_string("redirect_dir", "nofollow");
    context.try_set_string("metacopy", "off");
  }
  if (upper) STRATA_CHECK(set_upper(context, *upper, options));
  return context.create_mount(0);
}

// Changes the calling thread's mount namespace. The directory that the image lies in serves as the
// place for its mount: it is surely there, and nothing of the union is in it.
Result<UniqueFd> mount_unseen(int image_mount, const FlatImage& image,
                              const std::optional<Upper>& upper, const OverlayOptions& options,
                              bool metacopy) {
  if (::unshare(CLONE_NEWNS) < 0) return fail_errno("unshare the mount namespace");
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0)
    return fail_errno("make mounts private");
  STRATA_CHECK(sys::move_mount(image_mount, image.path.parent_path().c_str()));
  return mount_here(image_mount, image, upper, options, metacopy);
}

}  // namespace

Result<MountedImage> mount_image_from_file(const FlatImage& image) {
  STRATA_TRY(UniqueFd mount, mount_erofs(proc_path(image.file.get())));
  return MountedImage{std::move(mount), FlatBacking::kFile};
}

Result<MountedImage> mount_image_from_loop_device(const FlatImage& image) {
  STRATA_TRY(const sys::LoopDevice device, sys::attach_loop_device(image.file.get()));
  STRATA_TRY(UniqueFd mount, mount_erofs(device.path.string()));
  return MountedImage{std::move(mount), FlatBacking::kLoopDevice};
}

Result<MountedImage> mount_image(const FlatImage& image) {
  auto from_file = mount_image_from_file(image);
  if (from_file || from_file.error().code == ENODEV || from_file.error().code == EPERM)
    return from_file;
  // Before Linux 6.12 (ENOTBLK), and for files on file systems that EROFS can't read from, such as
  // tmpfs (EINVAL).
  auto from_device = mount_image_from_loop_device(image);
  if (!from_device)
    return fail(from_device.error().code, "mount " + image.path.string() +
                                              ": from the file: " + from_file.error().what +
                                              "; from a loop device: " + from_device.error().what);
  return from_device;
}

Result<UniqueFd> mount_flat_in_way(int image_mount, const FlatImage& image,
                                   const std::optional<Upper>& upper, const OverlayOptions& options,
                                   FlatMountWay way) {
  if (!way.attached) return mount_here(image_mount, image, upper, options, way.metacopy);
  Result<UniqueFd> mount = fail(ECANCELED, "the mounting thread did not run");
  std::thread([&] {
    mount = mount_unseen(image_mount, image, upper, options, way.metacopy);
  }).join();
  return mount;
}

Result<UniqueFd> mount_flat(const FlatImage& image, const std::optional<Upper>& upper,
                            const OverlayOptions& options, UniqueFd* close_later) {
  STRATA_TRY(MountedImage mounted, mount_image(image));
  Result<UniqueFd> mount = fail(EINVAL, "");
  // What a kernel is too old for is EINVAL, as are other faults; those stay when all is tried.
  for (const FlatMountWay way : {FlatMountWay{}, FlatMountWay{.metacopy = true},
                                 FlatMountWay{.metacopy = true, .attached = true}}) {
    mount = mount_flat_in_way(mounted.mount.get(), image, upper, options, way);
    if (mount || mount.error().code != EINVAL) break;
  }
  if (!mount) return fail_in("mount flat image " + image.path.string(), std::move(mount).error());
  if (close_later != nullptr) *close_later = std::move(mounted.mount);
  return mount;
}

}  // namespace strata::unionfs
