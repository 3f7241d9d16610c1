// Giving files their attributes. Owner before mode (chown(2) clears setuid), both before xattrs
// (chown(2) clears file capabilities, an ACL's mask follows the mode), times last.
//
// Thread rule: functions are independent.
#pragma once

#include "unionfs/base/result.h"
#include "unionfs/files/attributes.h"

namespace strata::unionfs {

// For an open file or directory.
[[nodiscard]] Result<void> apply_attributes(int fd, const Attributes& attributes);

// For what can't be opened: `name` in `directory`, never followed. Symbolic links have no mode.
[[nodiscard]] Result<void> apply_attributes_at(int directory, const char* name, bool is_symlink,
                                               const Attributes& attributes);

}  // namespace strata::unionfs
