// What a directory holds.
//
// Thread rule: functions are independent.
#pragma once

#include <string>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::unionfs {

// The names in a directory (not "." and ".."), in the file system's order. `fd` may be O_PATH; its
// position isn't touched.
[[nodiscard]] Result<std::vector<std::string>> list_names(int fd);

}  // namespace strata::unionfs
