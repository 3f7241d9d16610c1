// The startup probe: forks, execs, exits and system calls of a command's whole process tree, with
// times, seen by BPF programs on tracepoints.
//
//   STRATA_TRY(auto probe, StartupProbe::open({}));
//   STRATA_TRY(StartupTrace trace, probe.run({.argv = {"strata", "run", "debian", "true"}}));
//   puts(to_json(trace).c_str());
//
// All processes that the command starts belong to its tree, also those that become daemons, enter
// PID namespaces or lose their parent. What could not be kept is counted in `drops`, never silently
// left out. Needs Linux 5.12 with BTF, CAP_BPF and CAP_PERFMON (root); RLIMIT_MEMLOCK doesn't
// matter. While it watches, a system call of the tree takes about 0.4 µs longer, one of anybody
// else 0.2 µs, fork and exec of a small program a sixth (probes/README.md).
//
// Thread rule: one user at a time; any thread. Several probes may watch at once.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probes/command.h"
#include "unionfs/base/result.h"

namespace strata::probes {

// Times are nanoseconds since the command's own execve(2) began, so the first one is 0.

struct Execution {
  int64_t at_ns = 0;  // when the new program replaced the old one (execve is about to return)
  std::string path;   // as the caller of execve wrote it
  std::vector<std::string> arguments;
  bool arguments_cut = false;  // only the first 512 bytes of the arguments are kept
  bool operator==(const Execution&) const = default;
};

// All calls of one process to one system call.
struct CallSum {
  std::string name;  // "openat"; "syscall_999" for one this build has no name for
  uint64_t count = 0;
  uint64_t errors = 0;  // of these, how many failed (interrupted ones that restart included)
  uint64_t total_ns = 0;
  uint64_t max_ns = 0;
  bool operator==(const CallSum&) const = default;
};

struct TracedProcess {
  uint32_t id = 0;      // 1: the command; counts up in the order of the forks, never used twice
  uint32_t parent = 0;  // id of the process that forked it, whoever its parent is now; 0: none
  pid_t pid = 0;        // as seen from where the command was started
  pid_t own_pid = 0;    // as it sees itself; differs inside a PID namespace
  std::string comm;     // the latest name known
  int64_t start_ns = 0;
  std::optional<int64_t> end_ns;      // absent: still running when watching ended
  std::optional<int> status;          // 128 + signal number when killed
  std::vector<Execution> executions;  // by time; empty: runs its parent's program
  uint32_t threads = 1;               // that ever were, the first included
  std::vector<CallSum> calls;         // the costliest (total_ns) first
  bool operator==(const TracedProcess&) const = default;
};

// One system call; kept only with StartupOptions::keep_calls.
struct Call {
  uint32_t process = 0;
  pid_t thread = 0;
  int64_t at_ns = 0;
  int64_t duration_ns = 0;
  uint32_t number = 0;
  std::optional<int64_t> result;  // -errno on failure; absent: the thread ended within the call
  bool operator==(const Call&) const = default;
};

// What is missing from a trace, each a count; all 0 in a complete one.
struct Drops {
  uint64_t events = 0;     // forks, execs and exits
  uint64_t calls = 0;      // single calls; they are still in the sums
  uint64_t call_sums = 0;  // calls in no sum
  uint64_t tasks = 0;      // processes and threads that were not followed
  bool operator==(const Drops&) const = default;
  [[nodiscard]] bool any() const { return *this != Drops{}; }
};

struct StartupTrace {
  std::vector<std::string> argv;
  CommandEnd end;
  int64_t origin_ns = 0;                 // CLOCK_MONOTONIC at time 0
  int64_t duration_ns = 0;               // from 0 to the last thing seen
  std::vector<TracedProcess> processes;  // by id
  std::vector<Call> calls;               // by time
  Drops drops;
};

struct StartupOptions {
  bool keep_calls = false;                      // every single call, too
  size_t event_buffer_bytes = size_t{1} << 20;  // between kernel and reader, for forks, execs and
                                                // exits; rounded up to a power of two of pages
  size_t call_buffer_bytes = size_t{4} << 20;   // the same for single calls
  size_t call_limit = 1'000'000;                // single calls kept; the rest is a drop
};

class StartupProbe {
 public:
  // Loads the BPF programs. Fails where this kernel or this user may not; the text says why, e.g.
  // EPERM "load the startup probe: Operation not permitted (needs CAP_BPF and CAP_PERFMON …)".
  [[nodiscard]] static Result<StartupProbe> open(const StartupOptions& options = {});

  StartupProbe(StartupProbe&&) noexcept;
  StartupProbe& operator=(StartupProbe&&) noexcept;
  ~StartupProbe();

  // Runs a command from its first instruction to its end under the probe. A command that can't be
  // executed is an empty trace with end.start_error; an Error means that the probe failed. May be
  // called again.
  [[nodiscard]] Result<StartupTrace> run(const WatchedCommand& command);

  // The same for those who start the command themselves:
  //   begin(); fork; in the child: join_tree(join_fd()) (probes/join.h), execve; wait for it; end()
  // Time 0 is the first execve after joining. The caller sets argv and end in the trace. Until
  // end() nobody empties the buffers unless drain() is called now and then: the event buffer's
  // default holds a thousand execs, or ten thousand forks and exits. REQUIRES: end() after begin().
  [[nodiscard]] Result<void> begin();
  [[nodiscard]] int join_fd() const;  // close-on-exec
  [[nodiscard]] Result<void> drain();
  [[nodiscard]] Result<StartupTrace> end();

 private:
  class Impl;
  explicit StartupProbe(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The trace as one JSON object; probes/README.md documents it. Not a byte of it is invalid UTF-8.
[[nodiscard]] std::string to_json(const StartupTrace& trace);
inline constexpr int kStartupTraceVersion = 1;

// The name of a system call of this machine's native interface: "openat".
[[nodiscard]] std::string syscall_name(uint32_t number);

}  // namespace strata::probes
