// What is done to a container from outside.
//
// Thread rule: call from a single-threaded process.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/bundle/container.h"
#include "runtime/bundle/log.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// What a container is paused and limited by. ENOTSUP for one that has none: see rootless.h.
[[nodiscard]] Result<linux::Cgroup> needed_cgroup(const Container& container);

// To the first process, or to all in the container's cgroup, if it has one. ESRCH: "container not
// running". What is frozen is thawed if the signal is SIGKILL: a v1 freezer holds its processes
// even against that.
[[nodiscard]] Result<void> kill(const Container& container, int signal, bool all);

// EINVAL in runc's words: "container not running", "container not paused".
[[nodiscard]] Result<void> pause(const Container& container);
[[nodiscard]] Result<void> resume(const Container& container);

// Removes what is left of a stopped or created container, runs its poststop hooks, and forgets it.
// With `force` it is killed if it runs, and absence is success. ENOENT: "container does not exist".
[[nodiscard]] Result<void> remove(const std::filesystem::path& root, const std::string& id,
                                  bool force, Log& log);

// The same of a container whose first process the caller has reaped. Absence is success.
[[nodiscard]] Result<void> remove_ended(Container& container, Log& log);

}  // namespace strata::bundle
