// Ending what a trial has started, all of it. Thread rule: any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <vector>

namespace strata::bench {

// The descendants of `ancestor` now, without itself, as /proc shows them.
[[nodiscard]] std::vector<pid_t> descendants(pid_t ancestor);

// Kills (SIGKILL) every descendant of `ancestor`, and those that they start meanwhile, until there
// are none or `patience` is over; true if none are left. `ancestor` is expected to reap.
[[nodiscard]] bool kill_descendants(pid_t ancestor, std::chrono::milliseconds patience);

}  // namespace strata::bench
