// Clearing away what killed programs left of containers, and checking for it.
//
// Thread rule: functions are independent; several processes may work on one store. None may be
// called while the caller holds the store's lock exclusively.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::container {

struct PruneReport {
  std::vector<std::string> containers;  // IDs of what was removed, half-made ones included
  std::vector<std::string> recovered;   // IDs of dead containers that are now exited ones
  uint64_t bytes = 0;                   // of their files
};

// Clears away the processes, cgroups and socket of dead containers; those that were to be removed
// on exit are removed, the others become exited ones (their writable layer is their user's).
// Directories of containers that were never completed, or not removed to the end, go, and names
// without a container. `all_stopped`: created and exited containers are removed, too. What another
// program is working on is left alone. An error of one container does not keep the others from
// being cleared; the first such error is returned at the end.
[[nodiscard]] Result<PruneReport> prune(const image::Store& store, bool all_stopped);

// What prune(store, false) would clear away and what can't be read, one sentence each.
[[nodiscard]] Result<std::vector<std::string>> check(const image::Store& store);

}  // namespace strata::container
