// The `flat` presenter: the merged tree's metadata as one EROFS image, written once, whose files
// take their content from the layers (overlayfs's data-only lower layers, metacopy and redirect).
// The kernel then has one lower layer to look at, however many the stack has.
//
// The data layer is the deepest directory that all layers are in, so that their number is not
// limited. Where they are not on one mount, the layers themselves are the data layers: then the
// kernel's limit of 500 holds, and names must be unambiguous (fs/overlayfs/namei.c:
// ovl_lookup_data_layers takes the first file of the name).
//
// Images are kept in a cache directory, a file for each stack. FORMAT.md, "flat", tells what is in
// them. They appear by rename; what power loss leaves of one fails its checksum.
//
// inode numbers: files that are not in the upper have a device number of their own, as in every
// overlay of several file systems that isn't mounted with xino.
//
// Needs Linux 6.5 (data-only layers); EROFS from a file needs 6.12, loop devices serve before.
// Before 6.16 redirect_dir and metacopy have to be on, so that an upper gets such entries.
//
// Thread rule: functions are independent, also between processes.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay.h"

namespace strata::unionfs {

struct FlatImage {
  std::filesystem::path path;
  UniqueFd file;                            // open for reading
  std::vector<std::filesystem::path> data;  // the data-only layers, first match wins
  bool is_new = false;                      // it was not there, or not good
};

// The image of `stack` in `cache` if there is one that is whole and was made of these layers (their
// root directories' inodes and change times are looked at). Needs no index.
[[nodiscard]] std::optional<FlatImage> find_flat(const LayerStack& stack,
                                                 const std::filesystem::path& cache);

// The same by the layers' paths alone, top first: for layers that are known not to change. Costs
// the same for any number of layers; an image that was read whole since the machine was booted, and
// not written to after that, is not read whole again.
[[nodiscard]] std::optional<FlatImage> find_flat(std::span<const std::filesystem::path> top_first,
                                                 const std::filesystem::path& cache);

// The image of `stack` in `cache` (created if missing); written if it isn't there, damaged, or of
// other layers. REQUIRES: `index` is the stack's.
//
// Errors: E2BIG and EXDEV where the layers are not on one mount and are too many, or a name in them
// is ambiguous; what write_image() (erofs/writer.h) and writing report.
[[nodiscard]] Result<FlatImage> prepare_flat(const LayerStack& stack, const index::Index& index,
                                             const std::filesystem::path& cache);

// A detached mount as mount_overlay() gives it. REQUIRES: the upper is not in the cache directory.
//
// The image is mounted, too, but only the kernel needs that any longer. Closing its descriptor
// waits for a grace period of RCU (0.2 ms or so): it is put into `close_later`, if that is there,
// for a better time.
//
// Errors: ENODEV no EROFS or no overlayfs, EOPNOTSUPP overlayfs without data-only layers, each
// saying so; what fsconfig(2) reports, with the kernel's log.
[[nodiscard]] Result<UniqueFd> mount_flat(const FlatImage& image, const std::optional<Upper>& upper,
                                          const OverlayOptions& options = {},
                                          UniqueFd* close_later = nullptr);

enum class FlatBacking { kFile, kLoopDevice };

// Whether this kernel can, seen by doing it in a fresh directory below `scratch`: how images are
// mounted, or why not.
[[nodiscard]] Result<FlatBacking> flat_support(const std::filesystem::path& scratch);

}  // namespace strata::unionfs
