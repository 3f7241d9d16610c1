// What names a file of a file system for good: handles (name_to_handle_at(2),
// open_by_handle_at(2)) and the file system's UUID (FS_IOC_GETFSUUID, Linux 6.9).
//
// Thread rule: functions are independent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "unionfs/base/unique_fd.h"

namespace strata::unionfs::sys {

struct FileHandle {
  uint8_t type = 0;
  std::string bytes;
};

// Of the file open as `fd` (O_PATH will do); nullopt where the file system has none.
[[nodiscard]] std::optional<FileHandle> handle_of(int fd);

// The file of that handle, O_PATH, on the file system that `mount` (not O_PATH) is of; invalid if
// it is gone, or not of there. Needs CAP_DAC_READ_SEARCH.
[[nodiscard]] UniqueFd open_by_handle(int mount, const FileHandle& handle);

using Uuid = std::array<uint8_t, 16>;

// Of the file system that `fd` (not O_PATH) is on; nullopt if it has none, or the kernel doesn't
// tell.
[[nodiscard]] std::optional<Uuid> file_system_uuid(int fd);

}  // namespace strata::unionfs::sys
