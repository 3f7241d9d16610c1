// The user's side of a container: its output shown, its input fed, signals passed on.
//
// Thread rule: main thread (signals).
#pragma once

#include <optional>
#include <string>

#include "runtime/container/relay.h"
#include "runtime/container/start.h"
#include "unionfs/base/result.h"

namespace strata::container {

struct AttachOptions {
  bool input = false;     // feed our standard input
  bool terminal = false;  // the container has a terminal
};

// How a container ended, seen from outside.
struct Ending {
  int status = 0;
  std::string problem;  // what went wrong in recording it or clearing it away; mostly empty
};

// From a program that runs until it has ended and all its output is shown. ECONNRESET: the monitor
// was killed. EPIPE: nobody takes our output any more; the container goes on.
[[nodiscard]] Result<Ending> attach(Connection& connection, Running running, SignalRelay& signals,
                                    const AttachOptions& options);

struct FollowOptions {
  bool timestamps = false;
};

// Shows what is in the log, and with a `channel` what is still to come, until the container has
// ended or its monitor is gone.
[[nodiscard]] Result<void> show_log(LogReader& log, std::optional<UniqueFd> channel,
                                    const FollowOptions& options);

}  // namespace strata::container
