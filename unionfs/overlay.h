// The `overlay` presenter: the kernel's overlayfs over a LayerStack, set up through the new mount
// API (fsopen(2), fsconfig(2) with one `lowerdir+` per layer, fsmount(2)), so that neither the
// number of layers nor the length of their paths meets mount(2)'s 4 KiB option page. The kernel's
// own limit is 500 layers (fs/overlayfs/super.c: OVL_MAX_STACK).
//
// `lowerdir+` came with Linux 6.5. On older kernels the same stack is mounted with mount(2), its
// layers named by descriptor numbers in /proc/self/fd, so that 500 still fit the page.
//
// redirect_dir, metacopy and index are switched off: an upper directory then means the same
// wherever it is read.
//
// Thread rule: functions may be called from any thread.
#pragma once

#include <filesystem>
#include <optional>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/layer_stack.h"

namespace strata::unionfs {

// Where writes go. Both directories exist, are empty or were used together before, and lie on one
// file system.
struct Upper {
  std::filesystem::path upper;
  std::filesystem::path work;
};

struct OverlayOptions {
  // Skip fsync of the upper layer ("volatile"): for trees that are thrown away after use.
  bool is_volatile = false;
};

// A detached mount of the union: nothing is visible until the caller attaches it with
// move_mount(2) (MOVE_MOUNT_F_EMPTY_PATH); closing the descriptor before that drops it. Without
// `upper` the mount is read-only. A stack of one layer without upper is given as a read-only
// bind of that layer, since overlayfs wants two.
//
// Errors: E2BIG more layers than the kernel takes; EPERM; what fsconfig(2) reports, with the
// kernel's own log lines of the context in the text.
[[nodiscard]] Result<UniqueFd> mount_overlay(const LayerStack& stack,
                                             const std::optional<Upper>& upper,
                                             const OverlayOptions& options = {});

// Attaches a detached mount at `target`.
[[nodiscard]] Result<void> attach_mount(int mount_fd, const std::filesystem::path& target);

}  // namespace strata::unionfs
