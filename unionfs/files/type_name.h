// The types of files in words.
//
// Thread rule: pure functions.
#pragma once

#include <sys/stat.h>

namespace strata::unionfs {

[[nodiscard]] constexpr const char* type_name(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFDIR:
      return "directory";
    case S_IFREG:
      return "file";
    case S_IFLNK:
      return "symbolic link";
    case S_IFCHR:
      return "character device";
    case S_IFBLK:
      return "block device";
    case S_IFIFO:
      return "FIFO";
    default:
      return "socket";
  }
}

}  // namespace strata::unionfs
