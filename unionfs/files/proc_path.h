// Paths for system calls that take no directory descriptor (setxattr(2) and its kin). Needs /proc.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace strata::unionfs {

// The file open as `fd`, also where that is O_PATH.
[[nodiscard]] inline std::string proc_path(int fd) {
  return "/proc/self/fd/" + std::to_string(fd);
}

// `name` in the directory `fd`.
[[nodiscard]] inline std::string proc_path(int fd, std::string_view name) {
  return proc_path(fd).append("/").append(name);
}

}  // namespace strata::unionfs
