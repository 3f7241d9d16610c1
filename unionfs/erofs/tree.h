// The merged tree as EROFS has it: inodes, and the names that lead to them.
//
// Thread rule: plain values; functions are independent.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"

namespace strata::unionfs::erofs {

struct Name {
  std::string_view text;
  uint32_t inode = 0;  // its number in Tree::inodes
};

struct TreeInode {
  const index::Record* record = nullptr;  // any of its names
  uint32_t links = 1;
  uint32_t parent = 0;  // a directory's
  // A directory's names in Tree::names, without "." and "..", in byte order.
  uint32_t first_name = 0;
  uint32_t name_count = 0;
};

struct Tree {
  // Breadth first, so that the inodes of one directory lie together; the root is the first.
  std::vector<TreeInode> inodes;
  std::vector<Name> names;
};

// REQUIRES: index.root() != nullptr. EBADMSG for an index that is no tree.
[[nodiscard]] Result<Tree> collect_tree(const index::Index& index);

// The names of a directory with "." and ".." among them.
[[nodiscard]] std::vector<Name> directory_names(const Tree& tree, uint32_t directory);

}  // namespace strata::unionfs::erofs
