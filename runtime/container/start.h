// Starting a container: its monitor is forked, sets it up, and tells how that went.
//
// Thread rule: call from a single-threaded process (fork without exec).
#pragma once

#include <sys/ioctl.h>

#include <optional>

#include "runtime/container/container.h"
#include "runtime/container/log.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

// Exit statuses for what is not the command's own end, as docker's users know them.
inline constexpr int kRuntimeFailed = 125;
inline constexpr int kNotExecutable = 126;
inline constexpr int kNotFound = 127;
inline constexpr int kSignalled = 128;  // + the signal's number

struct StartOptions {
  bool attach = false;          // the caller wants the program's input (or terminal)
  bool follow = false;          // the caller shows the output: none is let go before it is read
  std::optional<winsize> size;  // of its terminal
};

// A connection to the monitor of a container that is being started, or runs.
struct Connection {
  UniqueFd channel;
  LogReader log;  // with `follow`: from where the program's output begins
};

// The command could not be started; the container's state says so, too.
struct StartFailure {
  int status = kRuntimeFailed;
  Error error;
};

// The program runs.
struct Running {
  UniqueFd pidfd;
  UniqueFd input;  // write end of its standard input, or its terminal; if asked for and there
};

struct StartResult {
  std::optional<StartFailure> failure;
  Running running;  // if there is no failure
};

// Forks the monitor, which takes the lock over. REQUIRES: the container does not run and needs no
// recovery (control.h: recover()).
[[nodiscard]] Result<Connection> start(const Container& container, ContainerLock lock,
                                       const StartOptions& options);

// Connects to the monitor of a running container. nullopt if there is none.
[[nodiscard]] Result<std::optional<UniqueFd>> watch(const Container& container);

// Waits until the program runs or has failed to. An Error: the monitor died.
[[nodiscard]] Result<StartResult> await_start(int channel);

// The shell's status for an error of linux::Launched::start().
[[nodiscard]] int status_of_exec_failure(int code);

}  // namespace strata::container
