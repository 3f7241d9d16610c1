// Extended attributes as they stand behind an EROFS inode.
//
// Thread rule: functions are independent.
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"

namespace strata::unionfs::erofs {

// Appends the attributes of a file with their header to `out`: those that are content, and where
// `redirect` isn't empty, those that make overlayfs take the content from there. Appends nothing
// for a file without any.
//
// ENOTSUP for a name that EROFS can't hold, E2BIG for a value or a sum that is too big.
[[nodiscard]] Result<void> append_xattrs(std::string& out, const index::Record& record,
                                         std::string_view redirect);

}  // namespace strata::unionfs::erofs
