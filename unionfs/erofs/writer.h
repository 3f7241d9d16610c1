// An EROFS image of the merged tree that an index describes: all metadata, no content. Regular
// files that have content are holes of their size, with the attributes that make overlayfs take the
// content from a data-only lower layer (trusted.overlay.metacopy, trusted.overlay.redirect).
//
// Names of one inode in one layer are hard links of one inode here, and its link count is the
// number of names that are left in the merged tree.
//
// Thread rule: functions are independent.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"

namespace strata::unionfs::erofs {

struct ImageOptions {
  // Where each layer stands in the data layer, bottom first: "" is its root, else "/a/b".
  // REQUIRES: one for each layer of the index.
  std::vector<std::string> layer_roots;
};

// The image in memory, whole blocks; its UUID is the index's identity. The first kSuperOffset bytes
// are zero and of no meaning to EROFS. The same index and options give the same bytes.
//
// Errors name the file: ENOTSUP for an extended attribute that EROFS has no place for, E2BIG for
// too many of them, ENAMETOOLONG for content whose path is too long for a redirect, EBADMSG for an
// index that is no tree.
[[nodiscard]] Result<std::vector<std::byte>> write_image(const index::Index& index,
                                                         const ImageOptions& options);

}  // namespace strata::unionfs::erofs
