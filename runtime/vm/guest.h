// One guest from start to end: QEMU is started, the guest's init is told what to run, bytes are
// carried both ways, and what became of it is told. Nothing is left behind, also when the caller is
// killed: no temporary files, and QEMU dies with its parent.
//
// Thread rule: call from a single-threaded process.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "runtime/vm/kernel.h"
#include "runtime/vm/qemu.h"
#include "unionfs/base/result.h"

namespace strata::vm {

// Where the command's streams lead. All stay the caller's.
struct GuestStreams {
  int in = -1;       // -1: the command sees an empty input
  int out = -1;      // -1: dropped
  int err = -1;      // -1: dropped
  int console = -1;  // the guest's console as it comes; -1: only its end is kept, for errors
};

struct GuestRequest {
  QemuPlan plan;
  Kernel kernel;
  std::string config;  // records of protocol.h; empty: the guest boots and ends
  GuestStreams streams;
  std::chrono::milliseconds boot_limit{std::chrono::seconds(60)};  // until init answers
  std::optional<std::chrono::milliseconds> run_limit;              // until the command has ended
};

// Host times, CLOCK_MONOTONIC in nanoseconds; 0: it didn't come to that.
struct GuestTimes {
  int64_t started_ns = 0;       // before QEMU was started
  int64_t booted_ns = 0;        // the guest's init answered
  int64_t executed_ns = 0;      // the command was executed
  int64_t first_output_ns = 0;  // its first byte was about to be passed on
  int64_t command_ended_ns = 0;
  int64_t exited_ns = 0;  // QEMU was gone
};

enum class GuestEnd {
  kExited,    // the command ended: `status`
  kNotRun,    // the guest could not run it: `status` (125, 126, 127) and `reason`
  kTimedOut,  // run_limit was over
  kNoBoot,    // boot_limit was over
  kDied,      // QEMU ended of itself: a panic, a QEMU that can't start, …
};

struct GuestResult {
  GuestEnd end = GuestEnd::kDied;
  int status = 0;      // exit status, 128 + signal number for a command killed by a signal
  std::string reason;  // for kNotRun
  GuestTimes times;
  std::string console;   // the end of what the guest's console said
  std::string messages;  // the end of what QEMU said
  int qemu_status = 0;
};

// Errors are ours or the host's: QEMU isn't there, memory is short, a stream can't be written.
[[nodiscard]] Result<GuestResult> run_guest(const GuestRequest& request);

}  // namespace strata::vm
