// An EROFS image of the merged tree that an index describes: all metadata, and the content of small
// files. Larger files are holes of their size, with the attributes that make overlayfs take the
// content from a data-only lower layer (trusted.overlay.metacopy, trusted.overlay.redirect).
//
// Names of one inode in one layer are hard links of one inode here, and its link count is the
// number of names that are left in the merged tree.
//
// Thread rule: functions are independent.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/erofs/format.h"
#include "unionfs/index/index.h"

namespace strata::unionfs::erofs {

struct ImageOptions {
  // Where each layer stands in the data layer, bottom first: "" is its root, else "/a/b".
  // REQUIRES: one for each layer of the index.
  std::vector<std::string> layer_roots;

  // Gives the content of a regular file that is no metacopy. REQUIRES: to be set.
  std::function<Result<std::string>(const index::Record& file)> read;
};

// Files up to this size have their content in the image. Opening one costs nothing but a look at
// the image, while opening another one makes the kernel look for its name in the data layer, too.
// More than half a block would leave holes between inodes.
inline constexpr uint64_t kMaxInlineContent = kBlockSize / 2;

// Whether the image holds the content of a file, and whether it refers to the data layer for it.
[[nodiscard]] bool is_inline(const index::Record& record);
[[nodiscard]] bool is_elsewhere(const index::Record& record);

// The image in memory, whole blocks; its UUID is the index's identity. The first kSuperOffset bytes
// are zero and of no meaning to EROFS. The same index and options give the same bytes.
//
// Errors name the file: ENOTSUP for an extended attribute that EROFS has no place for, E2BIG for
// too many of them, ENAMETOOLONG for content whose path is too long for a redirect, EBADMSG for an
// index that is no tree, ESTALE for content of another size than the index says.
[[nodiscard]] Result<std::vector<std::byte>> write_image(const index::Index& index,
                                                         const ImageOptions& options);

}  // namespace strata::unionfs::erofs
