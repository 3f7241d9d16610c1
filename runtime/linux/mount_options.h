// The options of a mount as mount(8) and the runtime-spec write them, sorted by what the kernel
// does with them. Plain values, no system calls.
//
// Source: mount(8), FILESYSTEM-INDEPENDENT MOUNT OPTIONS; runtime-spec config.md, "Linux mount
// options"; mount_setattr(2).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::linux {

struct MountOptions {
  // Attributes of the one mount, MOUNT_ATTR_*: "ro", "nosuid", …; and of it and all mounts below
  // it: "rro", "rnosuid", ….
  uint64_t set = 0, clear = 0;
  uint64_t recursive_set = 0, recursive_clear = 0;
  // MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE; 0: not asked for.
  uint64_t propagation = 0;
  bool recursive_propagation = false;
  bool bind = false;       // "bind" or "rbind"
  bool recursive = false;  // "rbind"
  bool copy_up = false;    // "tmpcopyup"
  bool id_mapped = false;  // "idmap" or "ridmap"
  bool recursive_id_map = false;
  // For the file system itself (fsconfig(2)), in order; an empty value makes a flag.
  struct Parameter {
    std::string key;
    std::string value;
    bool is_flag = false;
  };
  std::vector<Parameter> parameters;
};

// Options that say what is so anyway ("defaults", "noiversion"), or only how much the kernel says
// ("silent", "loud"), come to nothing. EINVAL for what can't be meant: an empty option, a NUL; and
// for "remount", as there is nothing to mount again.
[[nodiscard]] Result<MountOptions> parse_mount_options(std::span<const std::string> options);

}  // namespace strata::linux
