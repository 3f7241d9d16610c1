// What strata-bench-launch tells the harness about the program it started: fixed-size records
// through a pipe, one when the program itself has ended, a last one when everything that it
// started has. Both ends are of one build, so the struct is the format.
//
// Thread rule: plain values.
#pragma once

#include <cstdint>

namespace strata::bench {

enum class LaunchPhase : uint32_t {
  kNotStarted,  // `error` says why; no other field means anything
  kExited,      // the program has ended; processes that it left behind may run on
  kGone,        // nothing is left: the last record
};

struct LaunchRecord {
  LaunchPhase phase = LaunchPhase::kNotStarted;
  int32_t error = 0;              // errno of what kept the program from starting
  int64_t start_ns = 0;           // CLOCK_MONOTONIC just before the program was spawned
  int64_t exit_ns = 0;            // … when its end was reported by wait4(2)
  int64_t gone_ns = 0;            // … when the last of its descendants was reaped
  int32_t wait_status = 0;        // as from wait4(2)
  int32_t processes_left = 0;     // descendants that outlived it, as far as they were reaped
  int64_t user_ns = 0;            // CPU time of all reaped processes
  int64_t system_ns = 0;          //
  int64_t largest_rss_bytes = 0;  // ru_maxrss: the largest single process
};

}  // namespace strata::bench
