// Builds the segment of one layer on top of an index.
//
// Thread rule: functions are independent.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <memory>

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs::index {

// Reads the layer whose root directory is open as `layer` (O_PATH is enough) and gives the segment
// that makes `below` an index of one layer more. Costs what the layer holds, whatever lies below.
// Reads the layer only; REQUIRES /proc.
//
// Errors name the file in the layer: EINVAL for a redirect that no kernel would follow, EFBIG
// beyond the limits of the format, and what reading reports.
[[nodiscard]] Result<std::shared_ptr<const Segment>> build_segment(
    const Index& below, int layer, const OverlayXattrs& names = kTrustedXattrs);

// Whether `segment` was made from the layer whose root directory has this status.
[[nodiscard]] bool is_of_layer(const Segment& segment, const struct stat& root,
                               const OverlayXattrs& names = kTrustedXattrs);

}  // namespace strata::unionfs::index
