// What a process was doing along the time axis, cell by cell, for the bars of the timeline.
//
// Private to probes/. Thread rule: plain functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "probes/startup.h"

namespace strata::probes {

enum class Activity {
  kAbsent,   // not born yet, or ended
  kRunning,  // in its own code
  kCalling,  // in system calls that work
  kWaiting,  // in system calls that wait for somebody else
};

// Whether time in that system call is mostly waiting: for a child, a lock, a clock, a peer.
[[nodiscard]] bool is_waiting(std::string_view syscall);

// The first thread's prevailing activity in each of `cells` equal parts of 0 … total_ns. `calls`
// are the trace's calls by time; without any the process counts as running all along. A process
// takes at least one cell.
[[nodiscard]] std::vector<Activity> activities(const TracedProcess& process,
                                               std::span<const Call> calls, int64_t total_ns,
                                               size_t cells);

// The cell that holds the time `at_ns`. REQUIRES: cells > 0.
[[nodiscard]] size_t cell_of(int64_t at_ns, int64_t total_ns, size_t cells);

}  // namespace strata::probes
