// How flat images are mounted: parts of mount_flat() that tests want to see one by one.
//
// Thread rule: functions are independent.
#pragma once

#include <optional>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/flat.h"

namespace strata::unionfs {

struct MountedImage {
  UniqueFd mount;  // detached
  FlatBacking backing = FlatBacking::kFile;
};

// The image alone: its files have no content.
[[nodiscard]] Result<MountedImage> mount_image_from_file(const FlatImage& image);
[[nodiscard]] Result<MountedImage> mount_image_from_loop_device(const FlatImage& image);

// The first that works.
[[nodiscard]] Result<MountedImage> mount_image(const FlatImage& image);

struct FlatMountWay {
  // Linux 6.16 follows redirects into data-only layers also where metacopy and redirect_dir are
  // off; before, they have to be on, and the upper gets such entries, too.
  bool metacopy = false;
  // Linux 6.15 takes layers from detached mounts; before, the image has to be attached to a mount
  // namespace while the overlay is made: one that nobody else sees.
  bool attached = false;
};

[[nodiscard]] Result<UniqueFd> mount_flat_in_way(int image_mount, const FlatImage& image,
                                                 const std::optional<Upper>& upper,
                                                 const OverlayOptions& options, FlatMountWay way);

}  // namespace strata::unionfs
