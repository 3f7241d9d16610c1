// Starting one trial and observing it. The measured path of the harness: little happens here, and
// what happens is the same for every target.
//
// Thread rule: one trial at a time; main thread only (the real executor waits for child processes
// and is the process's child subreaper).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/base/result.h"

namespace strata {
class Interrupt;
}

namespace strata::bench {

// What is started in one trial.
struct Launch {
  std::vector<std::string> argv;    // REQUIRES: argv[0] is a path
  std::vector<std::string> env;     // the whole environment, "NAME=value"
  std::filesystem::path directory;  // working directory; empty: the harness's

  // Entered before the clock starts, so they cost the trial nothing:
  std::filesystem::path mount_namespace;  // a namespace file (/proc/<pid>/ns/mnt, …); empty: ours
  std::filesystem::path root;             // chroot(2); empty: none

  // Where the started program's first byte is expected: a FIFO that exists, or standard output.
  std::filesystem::path output_fifo;

  // What the started program has to write, so that a target which prints something else doesn't
  // pass for a fast one; nullopt: at least one byte.
  std::optional<std::string> expected_output;

  // The program measures itself and writes the metrics (reported_metrics.h): they are the sample's,
  // in place of the times of a start.
  bool reports_metrics = false;

  std::chrono::milliseconds timeout{30'000};  // then everything that was started is killed
};

// What was seen. Times are since just before the clone of the process that was started.
struct Outcome {
  std::optional<int64_t> first_byte_ns;  // its first byte reached the harness
  std::optional<int64_t> exit_ns;        // the started process ended
  std::optional<int64_t> gone_ns;        // the last process that it started ended, too
  int64_t exit_status = 0;               // 128 + signal when killed
  int processes_left = 0;                // that outlived the started process
  int64_t user_ns = 0;                   // CPU time of all of them
  int64_t system_ns = 0;
  int64_t largest_rss_bytes = 0;  // of the largest single process (wait4(2): ru_maxrss)
  int64_t started_ns = 0;         // CLOCK_MONOTONIC at the start

  std::string out;  // the start of what it wrote where `first_byte_ns` was taken
  std::string err;  // the end of its standard error (and of standard output, if that is another)

  // Why this trial does not count; empty: it does.
  std::string error;
  bool interrupted = false;  // by the person at the terminal
};

// Whether the outcome is what the launch promised; the text of what is wrong, or nothing.
[[nodiscard]] std::string verdict(const Launch& launch, const Outcome& outcome);

class Executor {
 public:
  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  // Runs the trial to its end: until nothing that it started is left. A program that fails, hangs
  // or can't be started is an Outcome with `error`; an Error means that the harness itself failed.
  [[nodiscard]] virtual Result<Outcome> run(const Launch& launch) = 0;
};

// Starts real processes, by way of strata-bench-launch (programs/launch.cc).
class ProcessExecutor final : public Executor {
 public:
  // `launcher` is the path of strata-bench-launch. `interrupt` may be null; when it is raised, the
  // running trial is killed.
  explicit ProcessExecutor(std::string launcher, const Interrupt* interrupt = nullptr)
      : launcher_(std::move(launcher)), interrupt_(interrupt) {}
  [[nodiscard]] Result<Outcome> run(const Launch& launch) override;

 private:
  std::string launcher_;
  const Interrupt* interrupt_;
};

}  // namespace strata::bench
