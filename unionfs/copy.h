// The `copy` presenter: the merged tree as plain files. For where nothing else works, and as a
// baseline.
//
// Thread rule: functions are independent; one target has one user at a time.
#pragma once

#include <filesystem>

#include "unionfs/base/result.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_stack.h"

namespace strata::unionfs {

// Fills the directory `target` (created if missing) with the merged tree: content as reflinks where
// the file systems can, else with its holes kept, owners, modes, modification times, extended
// attributes, devices, and hard links among the names that the tree has. REQUIRES: `index` is the
// stack's; root privileges; /proc.
//
// Errors name the file: ENOTEMPTY for a target that holds something, ESTALE for a layer that is not
// what the index says, and what creating files reports. After an error the target holds a part of
// the tree.
[[nodiscard]] Result<void> copy_tree(const LayerStack& stack, const index::Index& index,
                                     const std::filesystem::path& target);

}  // namespace strata::unionfs
