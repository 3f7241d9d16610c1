// openat2(2): opening below a directory without ever leaving it.
//
// Thread rule: functions are independent.
#pragma once

#include <sys/types.h>

#include "unionfs/base/unique_fd.h"

namespace strata::unionfs::sys {

// Opens `path` (relative, without `..`) below `directory` with O_CLOEXEC added. No symbolic link is
// followed (ELOOP), no mount is crossed (EXDEV), nothing outside is reached whatever others do to
// the tree meanwhile. Invalid with errno set on failure: callers branch on it.
[[nodiscard]] UniqueFd open_beneath(int directory, const char* path, int flags, mode_t mode = 0);

}  // namespace strata::unionfs::sys
