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

// How a container ended, or how we lost touch with it: then it may run still.
struct Ending {
  enum class Touch {
    kKept,
    kHungUp,      // our terminal is gone, and so is the container's now
    kOutputLost,  // nobody takes our output any more, or it can't be written; `problem` says why
  };
  int status = 0;
  Touch touch = Touch::kKept;
  std::string problem;  // what went wrong in recording it or clearing it away; mostly empty
};

// From a program that runs until it has ended and all its output is shown, or until touch is lost.
// The third SIGINT or SIGTERM becomes a SIGKILL: the first process of a container ignores what it
// does not catch. ECONNRESET: the monitor was killed.
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
