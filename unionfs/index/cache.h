// Indexes kept in a directory: opened if they are good, built and put there if not.
//
// A damaged, stale or foreign file is never trusted: a segment has a checksum, names the segment it
// was built on, and the root directory (inode and change time) of the layer that it was built from.
// A layer that is changed behind that (layers are immutable) is seen by verify_index() only.
//
// Crash safety: segments appear by rename; what power loss leaves of one fails its checksum.
//
// Thread rule: functions are independent, also between processes.
#pragma once

#include <filesystem>
#include <optional>

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs::index {

struct OpenedIndex {
  Index index;
  size_t built = 0;  // segments that were not there, or not good
};

// The index of `stack` from the files in `directory` (created if missing); segments that are
// missing or not good are built. nullopt: built in memory and not kept. Where the directory can't
// be written the index is not kept either: that is no error.
[[nodiscard]] Result<OpenedIndex> open_index(const LayerStack& stack,
                                             const std::optional<std::filesystem::path>& directory,
                                             const OverlayXattrs& names = kTrustedXattrs);

// Builds the index anew and compares: EUCLEAN, naming the layer, if `index` says something else.
[[nodiscard]] Result<void> verify_index(const LayerStack& stack, const Index& index,
                                        const OverlayXattrs& names = kTrustedXattrs);

}  // namespace strata::unionfs::index
