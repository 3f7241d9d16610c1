// The mount option "tmpcopyup": a new tmpfs starts with what the directory below it holds.
// For the .cc files of runtime/linux only.
#pragma once

#include "unionfs/base/result.h"

namespace strata::linux {

// Copies what is in the directory `from` into the empty directory `to`, with owners, modes and
// times, and gives `to` those of `from`. No symbolic link is followed; sockets are left out.
[[nodiscard]] Result<void> copy_up(int from, int to);

}  // namespace strata::linux
