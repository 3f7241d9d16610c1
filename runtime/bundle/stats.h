// What a container uses, as `runc events` prints it.
//
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/linux/cgroup.h"

namespace strata::bundle {

// One event of type "stats", as one line of JSON without its newline. What this host does not count
// is left out, or 0 where runc's readers expect a number.
[[nodiscard]] std::string stats_event(const std::string& id, const linux::Cgroup& cgroup);

// An event of type "oom".
[[nodiscard]] std::string oom_event(const std::string& id);

}  // namespace strata::bundle
