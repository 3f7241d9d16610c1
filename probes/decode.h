// The kernel side's records as typed events: bytes in, values out, no BPF. The sizes and NULs that
// the records claim are checked, so that a record of another build is an error and not nonsense.
//
// Private to probes/. Thread rule: plain functions and values.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::probes {

struct EventHead {
  uint32_t process = 0;
  uint64_t time_ns = 0;  // CLOCK_MONOTONIC
  pid_t pid = 0;
  pid_t own_pid = 0;
};

enum class Birth { kCommand, kProcess, kThread };

struct Born {
  EventHead head;
  Birth kind = Birth::kProcess;
  uint32_t parent = 0;
  std::string comm;
};

struct Executed {
  EventHead head;
  std::string comm;
  std::string path;
  std::vector<std::string> arguments;
  bool arguments_cut = false;
};

struct Exited {
  EventHead head;
  int status = 0;  // as a shell reports it: exit status, or 128 + signal number
  std::string comm;
};

struct Called {
  EventHead head;  // time_ns: when the call began
  uint64_t duration_ns = 0;
  uint32_t number = 0;
  std::optional<int64_t> result;
};

using Event = std::variant<Born, Executed, Exited, Called>;

// EPROTO for a record that is too short or of an unknown kind.
[[nodiscard]] Result<Event> decode_event(std::span<const std::byte> record);

}  // namespace strata::probes
