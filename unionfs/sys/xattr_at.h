// Extended attributes of a name in a directory, never followed: listxattrat(2) and getxattrat(2)
// (Linux 6.13), before that by a path through /proc/self/fd.
//
// Thread rule: functions are independent.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace strata::unionfs::sys {

// As llistxattr(2).
[[nodiscard]] ssize_t list_xattr_at(int directory, const char* name, char* list, size_t size);

// As lgetxattr(2).
[[nodiscard]] ssize_t get_xattr_at(int directory, const char* name, const char* xattr, void* value,
                                   size_t size);

}  // namespace strata::unionfs::sys
