// The container set-up path: from a Spec and a detached root mount to a running program.
//
//   launch()  clones the first process straight into its namespaces and cgroup; it mounts, pivots,
//             drops what it must drop and waits in front of execve      (OCI "created")
//   start()   lets it go on and returns when execve has succeeded or failed (OCI "running")
//
// The child never prints and never returns to the caller's code: it sends {step, errno} to the
// parent and calls _exit. setup_steps.h names the steps; each is timed, and the laps travel to the
// parent, so that where a start spends its time is part of the answer.
//
// No descriptor of the caller's reaches the container but `stdio`.
//
// Thread rule: call from a single-threaded process (clone without exec).
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/linux/cgroup.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

// What the program gets as its standard streams. With spec.process.terminal these are not used:
// the terminal is made inside, and its master comes back in Launched::console.
struct Stdio {
  int in = -1;  // -1: /dev/null
  int out = -1;
  int err = -1;
};

struct SetupLap {
  std::string step;
  std::chrono::nanoseconds took{};
};

struct LaunchRequest {
  const oci::Spec* spec = nullptr;
  int root_mount = -1;             // detached mount (mount_overlay); stays the caller's
  const Cgroup* cgroup = nullptr;  // may be null
  Stdio stdio;
  std::span<const sock_filter> seccomp;  // empty: no filter
};

// A process that was set up and waits. Destroying it before start() kills and reaps it.
class Launched {
 public:
  Launched(Launched&&) noexcept;
  Launched& operator=(Launched&&) noexcept;
  ~Launched();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  // The master of the terminal, if the spec asked for one.
  [[nodiscard]] UniqueFd& console() { return console_; }

  // Lets the program run. Errors: ENOENT (not found: 127 for the shell), EACCES, ENOEXEC, … (can't
  // be executed: 126), naming argv[0]. After an error the process is gone and reaped. On success
  // the process is the caller's to reap.
  [[nodiscard]] Result<void> start();

  // Set-up steps with their times, in order; complete after start().
  [[nodiscard]] const std::vector<SetupLap>& laps() const { return laps_; }

 private:
  friend Result<Launched> launch(const LaunchRequest& request);
  friend Result<Launched> launch_exec(const struct ExecRequest& request);
  Launched() = default;
  pid_t pid_ = -1;
  UniqueFd pidfd_, channel_, console_;
  std::string program_;
  std::vector<SetupLap> laps_;
  bool started_ = false;
};

// Errors name the step: "set up container: mount proc on /proc: Operation not permitted". A death
// by the OOM killer during set-up is ENOMEM and says so.
[[nodiscard]] Result<Launched> launch(const LaunchRequest& request);

// A further program in a running container: `exec`. `pid` is the container's first process; its
// namespaces, root, cgroup are joined; a new process is set up and waits as above.
struct ExecRequest {
  pid_t pid = -1;
  const oci::Process* process = nullptr;
  const Cgroup* cgroup = nullptr;
  Stdio stdio;
  std::span<const sock_filter> seccomp;
};
[[nodiscard]] Result<Launched> launch_exec(const ExecRequest& request);

}  // namespace strata::linux
