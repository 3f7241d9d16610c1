// The upper layer as a whole.
//
// Thread rule: as Union's.
#pragma once

#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/engine/tree.h"

namespace strata::unionfs::engine {

// Union::changes().
[[nodiscard]] Result<std::vector<Change>> changes(const Tree& tree);

// Union::complete_upper().
[[nodiscard]] Result<void> complete_upper(Tree& tree);

}  // namespace strata::unionfs::engine
