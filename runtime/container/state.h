// What became of a container: created -> running -> exited, and to running again by a new start.
//
// What is on disk says what was last recorded. Its monitor records an exit; if the monitor was
// killed, nobody did, and the container is dead: whatever of it is left has to be cleared away
// before it can be started again.
//
// Thread rule: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/process_identity.h"
#include "runtime/linux/launch.h"
#include "unionfs/base/result.h"

namespace strata::container {

enum class Status {
  kCreated,
  kRunning,
  kExited,
  kDead,  // recorded as running, but its monitor is gone; never recorded
};

[[nodiscard]] std::string_view status_name(Status status);

struct State {
  Status status = Status::kCreated;
  ProcessIdentity process;  // the container's first process, as the host sees it
  ProcessIdentity monitor;
  int exit_code = 0;     // of the last run: the command's, 128 + signal, or 125 to 127
  std::string started;   // RFC 3339; empty: never
  std::string finished;  // RFC 3339; empty: not yet
  bool oom_killed = false;
  std::string error;                   // why it could not be started, or what was lost
  std::vector<linux::SetupLap> setup;  // where the last start spent its time

  [[nodiscard]] bool can_start() const { return status != Status::kRunning; }
  [[nodiscard]] bool can_exec() const { return status == Status::kRunning; }
  [[nodiscard]] bool can_kill() const { return status == Status::kRunning; }
  [[nodiscard]] bool can_remove() const { return status != Status::kRunning; }
  [[nodiscard]] bool needs_recovery() const { return status == Status::kDead; }
};

[[nodiscard]] std::string to_json(const State& state);
[[nodiscard]] Result<State> state_from_json(std::string_view text, std::string_view name);

}  // namespace strata::container
