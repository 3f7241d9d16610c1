// mount(2) for overlayfs, where the kernel has no `lowerdir+` (before Linux 6.5).
//
// Thread rule: may be called from any thread; works in a short-lived thread of its own.
#pragma once

#include <optional>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/overlay.h"

namespace strata::unionfs {

// As mount_overlay(). Layers are named by their descriptors' numbers, seen from /proc/self/fd, so
// that 500 of them fit mount(2)'s one page of options. Needs /proc.
[[nodiscard]] Result<UniqueFd> mount_overlay_legacy(const LayerStack& stack,
                                                    const std::optional<Upper>& upper,
                                                    const OverlayOptions& options);

}  // namespace strata::unionfs
