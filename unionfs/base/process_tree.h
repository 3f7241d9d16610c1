// Ending what a child has started, all of it, sessions and process groups of its own included.
//
// Thread rule: any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace strata {

// The descendants of `ancestor` now, without itself, as /proc shows them.
[[nodiscard]] std::vector<pid_t> descendants(pid_t ancestor);

// Kills (SIGKILL) every descendant of `ancestor`, and those that they start meanwhile, until there
// are none or `patience` is over; true if none are left. `ancestor` is expected to reap.
[[nodiscard]] bool kill_descendants(pid_t ancestor, std::chrono::milliseconds patience);

// Kills a child of ours that was not waited for yet, its descendants and its process group. The
// child is stopped first, so that it can't notice the end of what it started and go on.
// REQUIRES: `child` leads its process group.
void kill_tree(pid_t child);

}  // namespace strata
