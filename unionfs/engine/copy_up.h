// Copying up: giving the upper layer its own copy of what a lower one has (fs/overlayfs/copy_up.c).
//
// Thread rule: as Union's.
#pragma once

#include "unionfs/base/result.h"
#include "unionfs/engine/tree.h"

namespace strata::unionfs::engine {

enum class Content : bool { kDrop, kKeep };  // kDrop: the file will be truncated anyway

// The directories on the way to `place` exist in the upper layer afterwards, and the nodes say so.
[[nodiscard]] Result<void> copy_up_parents(Tree& tree, Place& place);

// The file itself, too, whole: a metacopy gets its content. Owner, mode, times, attributes and
// holes are kept, and the times of the directory that it is in.
[[nodiscard]] Result<void> copy_up(Tree& tree, Place& place, Content content = Content::kKeep);

// Notes that copies from below lie in `directory`, whose upper part exists: a kernel that lists it
// then looks for the inode numbers that they go by (fs/overlayfs/readdir.c: ovl_calc_d_ino).
[[nodiscard]] Result<void> set_impure(const Tree& tree, const Node& directory);

}  // namespace strata::unionfs::engine
