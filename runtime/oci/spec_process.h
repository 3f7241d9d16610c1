// The program of a container and how it runs: `process` of config.json
// (runtime-spec config.md, "Process" and "POSIX process").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace strata::oci {

struct User {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> additional_gids;
  std::optional<uint32_t> umask;
};

// Capability names as the spec writes them ("CAP_CHOWN").
struct Capabilities {
  std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};

struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  uint64_t soft = 0;
  uint64_t hard = 0;
};

struct ConsoleSize {
  uint32_t height = 0;
  uint32_t width = 0;
};

struct IoPriority {
  std::string io_class;  // "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE" or "IOPRIO_CLASS_IDLE"
  int priority = 0;      // 0 (first) to 7
};

// sched_setattr(2). Runtime, deadline and period are nanoseconds.
struct Scheduler {
  std::string policy;  // "SCHED_OTHER", "SCHED_FIFO", …
  std::optional<int32_t> nice;
  std::optional<int32_t> priority;
  std::vector<std::string> flags;  // "SCHED_FLAG_RESET_ON_FORK", …
  std::optional<uint64_t> runtime, deadline, period;
};

// CPU lists ("0-3,7") of a program that is executed in a running container: before it is moved into
// the container's cgroup, and after.
struct ExecCpuAffinity {
  std::string initial;
  std::string final;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size;
  User user;
  std::vector<std::string> args;  // REQUIRES for start: not empty
  std::vector<std::string> env;   // "NAME=value"
  std::string cwd = "/";          // absolute
  Capabilities capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
  std::string apparmor_profile;
  std::string selinux_label;
  std::optional<IoPriority> io_priority;
  std::optional<Scheduler> scheduler;
  std::optional<ExecCpuAffinity> exec_cpu_affinity;  // not for a container's first process
};

}  // namespace strata::oci
