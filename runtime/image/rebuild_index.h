// An index made anew where the old one can't be read any more.
//
// Private to runtime/image. The caller holds the store's exclusive lock.
#pragma once

#include <cstddef>

#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::image {

// Replaces index.json by one of every whole image whose manifest is among the blobs, without names:
// those stood in the old one only, which is kept as `<root>/index.json.damaged`. Returns how many
// images there are.
[[nodiscard]] Result<size_t> rebuild_index(const Store& store);

}  // namespace strata::image
