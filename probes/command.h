// The command that a probe watches, and how long.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace strata::probes {

struct WatchedCommand {
  std::vector<std::string> argv;         // argv[0] is searched in PATH; REQUIRES: not empty
  std::vector<std::string> env;          // "NAME=value", added to or replacing our environment
  bool only_env = false;                 // `env` is the whole environment, nothing of ours
  std::string directory;                 // working directory; empty: ours
  std::array<int, 3> stdio = {0, 1, 2};  // its standard input, output and error

  // How long to go on watching what the command left running when it ended; nullopt: until the
  // last process of its tree has ended.
  std::optional<std::chrono::milliseconds> linger = std::chrono::milliseconds(200);

  // When this becomes readable after the command's end, lingering is over; -1: never.
  int stop_fd = -1;

  // Called with a pidfd of the command before it runs, e.g. to pass signals on to it. The
  // descriptor is closed when the command has ended.
  std::function<void(int pidfd)> on_start;
};

// How it ended.
struct CommandEnd {
  int status = 0;       // as a shell reports it: exit status, or 128 + signal number
  int start_error = 0;  // errno with which execve(2) failed (then status is 126 or 127); 0: started
};

}  // namespace strata::probes
