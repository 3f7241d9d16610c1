// What a file in a tree is: its attributes, and where its content lies.
//
// Thread rule: functions are independent.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/files/attributes.h"

namespace strata::unionfs {

// All extended attributes of `name` in `directory` (never followed), sorted by name. A file system
// without them has none.
[[nodiscard]] Result<std::vector<Xattr>> read_xattrs(int directory, const std::string& name);

// The same of an open file or directory.
[[nodiscard]] Result<std::vector<Xattr>> read_xattrs(int fd);

// Owner, mode and time of `st`; no xattrs.
[[nodiscard]] Attributes attributes_of(const struct stat& st);

// The ranges with data of a file that has holes; empty for a file that has none. A file that is one
// hole has one empty range at its end.
[[nodiscard]] Result<std::vector<Extent>> read_extents(int fd, const struct stat& st);

}  // namespace strata::unionfs
