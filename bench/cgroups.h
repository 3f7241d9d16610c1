// Cgroups that targets were told to use, gone again. Thread rule: any thread.
#pragma once

#include <string>

#include "unionfs/base/result.h"

namespace strata::bench {

// Removes, in every hierarchy, the cgroups at its top whose name is `prefix` or "<prefix>-…", and
// those below them. EBUSY where one still holds processes; the others are removed all the same.
[[nodiscard]] Result<void> remove_cgroups(const std::string& prefix);

}  // namespace strata::bench
