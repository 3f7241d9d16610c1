// Loop devices (loop(4)): a file as a block device.
//
// Thread rule: functions are independent, also between processes.
#pragma once

#include <filesystem>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::unionfs::sys {

struct LoopDevice {
  UniqueFd fd;
  std::filesystem::path path;
};

// A read-only loop device over the file open as `file`. It goes when the last user (the descriptor,
// a mount) does. Needs CAP_SYS_ADMIN, /dev/loop-control and Linux 5.8.
[[nodiscard]] Result<LoopDevice> attach_loop_device(int file);

}  // namespace strata::unionfs::sys
