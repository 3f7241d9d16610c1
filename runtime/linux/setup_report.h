// What the child tells the parent: one fixed-size message over a SOCK_SEQPACKET pair, sent when
// everything in front of execve is done, or when a step failed.
//
// For the .cc files of runtime/linux only. send_report() is async-signal-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/linux/setup_steps.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

struct SetupReport {
  Step step = Step::kReady;  // kReady: all is well
  uint32_t index = 0;        // which mount, path, limit, … of the step
  int32_t code = 0;          // errno
  uint32_t interpreter_missing = 0;
  uint32_t has_console = 0, has_listener = 0;  // descriptors that travel with it, in this order
  std::array<int64_t, kStepCount> lap_ns{};    // 0: the step was not taken
  std::array<char, 128> complaint{};           // the kernel's own words, if it had any
};

// Says more about a failure than errno can; `why` is cut to size.
inline void complain(SetupReport& report, std::string_view why) noexcept {
  const size_t size = why.copy(report.complaint.data(), report.complaint.size() - 1);
  report.complaint[size] = '\0';
}

struct Channel {
  UniqueFd parent, child;
};
[[nodiscard]] Result<Channel> make_channel();

// Descriptors that are not -1 travel with the message. False: the parent is gone.
bool send_report(int channel, SetupReport& report, int console, int listener) noexcept;

struct Received {
  SetupReport report;
  UniqueFd console;   // the master of a terminal
  UniqueFd listener;  // of a seccomp filter
};
// The next message; nullopt when the child's end was closed (by execve, or by its death).
[[nodiscard]] Result<std::optional<Received>> receive_report(int channel);

}  // namespace strata::linux
