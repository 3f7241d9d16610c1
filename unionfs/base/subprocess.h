// Running another program to its end: for tools that Strata drives (mkfs.erofs, qemu, …) and for
// scenario steps. The measured path of a benchmark has its own executor.
//
// Thread rule: functions may be called from any thread; the child inherits no descriptor but those
// named, no signal mask and no ignored signals.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "unionfs/base/result.h"

namespace strata {

struct Command {
  std::vector<std::string> argv;  // argv[0] is searched in PATH; REQUIRES: not empty
  std::vector<std::string> env;   // "NAME=value", added to or replacing our environment
  std::string directory;          // working directory; empty: ours
  std::string input;              // given on standard input
  std::optional<std::chrono::milliseconds> timeout;  // then all that it started is killed
  int stop_fd = -1;  // when this becomes readable (Interrupt::fd()), the same; -1: never
  size_t output_limit = size_t{16} << 20;  // bytes kept of each stream; the rest is dropped
};

struct Completed {
  int status = 0;  // exit status, or 128 + signal number
  bool timed_out = false;
  bool stopped = false;  // by stop_fd
  std::string out;
  std::string err;
  std::chrono::nanoseconds wall{};
};

// Runs and waits. An Error means that the program was not started (ENOENT: not found in PATH);
// a program that fails is a Completed with its status.
[[nodiscard]] Result<Completed> run_command(const Command& command);

// The same, with a status other than 0 made an Error (ECHILD) that quotes the end of its stderr;
// one that was stopped is EINTR.
[[nodiscard]] Result<Completed> run_checked(const Command& command);

// The full path of a program as execvp(3) would find it, or nullopt.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

// The path of a program of ours: beside the running executable, else in PATH.
[[nodiscard]] std::optional<std::string> find_own_program(const std::string& name);

}  // namespace strata
