// Files of a union as text and as JSON.
//
// Private: included only by the .cc files of this folder.
#pragma once

#include <sys/stat.h>

#include <string>

#include "unionfs/base/json.h"
#include "unionfs/base/result.h"
#include "unionfs/union.h"

namespace strata::unionfs::cli {

// "drwxr-xr-x", as ls(1).
[[nodiscard]] std::string mode_text(mode_t mode);

// "2026-11-24 13:00:00.123456789Z"
[[nodiscard]] std::string time_text(const timespec& time);

// A file with what stat(2), readlink(2) and listxattr(2) say of it.
[[nodiscard]] Result<OrderedJson> describe(const Union& merged, const std::string& path);

// "-rw-r--r-- 0:0 1234 2026-11-24 13:00:00.123456789Z name -> target"
[[nodiscard]] Result<std::string> long_line(const Union& merged, const std::string& path,
                                            const std::string& shown_as);

}  // namespace strata::unionfs::cli
