// Changes to the union's name space: what the upper layer has to look like so that names appear,
// go and move (fs/overlayfs/dir.c).
//
// Thread rule: as Union's.
#pragma once

#include <functional>
#include <string>

#include "unionfs/base/result.h"
#include "unionfs/engine/tree.h"

namespace strata::unionfs::engine {

// Makes a new file called `name` in the open directory; false with errno set.
using MakeFile = std::function<bool(int directory, const char* name)>;

enum class Kind : bool { kFile, kDirectory };

// Puts a new file at `place`. EEXIST; ENOENT (as open(2) and mknod(2) have it) for a file at a path
// that ends in a slash. Groups and access control lists come from the directory as on any file
// system.
[[nodiscard]] Result<void> create(Tree& tree, Place& place, Kind kind, const MakeFile& make);

// Takes away what is at `place`; a directory must be empty (ENOTEMPTY).
[[nodiscard]] Result<void> remove(Tree& tree, Place& place);

// rename(2), with what the VFS checks (fs/namei.c: do_renameat2, vfs_rename).
[[nodiscard]] Result<void> rename(Tree& tree, std::string_view from, std::string_view to,
                                  unsigned flags);

// ENOTEMPTY if something shows in `directory`.
[[nodiscard]] Result<void> check_empty(const Tree& tree, const Node& directory);

// Makes `directory` opaque, on disk and in the node.
[[nodiscard]] Result<void> set_opaque(const Tree& tree, Node& directory);

}  // namespace strata::unionfs::engine
