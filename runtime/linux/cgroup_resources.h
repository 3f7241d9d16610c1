// Limits of a spec as writes to a cgroup's control files. For the .cc files of runtime/linux only.
#pragma once

#include <vector>

#include "runtime/linux/cgroup.h"

namespace strata::linux {

// Applies the limits and device rules to a new cgroup's directories. ENOTSUP names a resource for
// which there is no controller; EINVAL one that makes no sense.
[[nodiscard]] Result<void> apply_resources(const std::vector<Cgroup::Directory>& directories,
                                           const oci::Resources& resources);

// cpu.weight (1 to 10000) for cpu.shares (2 to 262144), as runc and crun convert it.
[[nodiscard]] uint64_t weight_of_shares(uint64_t shares);

}  // namespace strata::linux
