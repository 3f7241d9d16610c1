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
// No descriptor of the caller's reaches the container but `stdio` and what `preserved_fds` names;
// the others are closed in the waiting child, too. Should the caller die before start(), the child
// ends by itself.
//
// Whoever is in the container already (exec; a pid namespace that is joined) may look at what
// enters. Callers see to it that the program they run from is none that could be written to
// (own_program.h); launch() itself does where it makes the pid namespace.
//
// Thread rule: call from a single-threaded process (clone without exec).
#pragma once

#include <linux/filter.h>
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/linux/cgroup.h"
#include "runtime/linux/early_network.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

// What the program gets as its standard streams. With spec.process.terminal these are not used:
// the terminal is made inside, and its master comes back in Launched::console. Pipes are given to
// the program's user, so that it can reopen /dev/stdout.
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
  const oci::Spec* spec = nullptr;  // spec.root.path is not looked at: root_mount is the root
  int root_mount = -1;  // detached mount (mount_overlay); stays the caller's, who closes it after
                        // launch(): until then it keeps the file system from being unmounted
  const Cgroup* cgroup = nullptr;   // null: the caller's own, and no /sys/fs/cgroup inside
  EarlyNetwork* network = nullptr;  // the new network namespace, if it was begun already
  bool run_at_once = false;  // do not wait for start(), which then only tells how execve went
  Stdio stdio;
  std::span<const sock_filter> seccomp;  // empty: no filter
  uint32_t seccomp_flags = 0;            // SECCOMP_FILTER_FLAG_*
  bool seccomp_listener = false;         // the filter notifies: see Launched::seccomp_listener()
  unsigned preserved_fds = 0;            // so many descriptors from 3 on reach the program
  // Called while the container's namespaces and mounts are there and its root is not "/" yet, with
  // its waiting process: the place of the spec's hooks. An error ends the launch.
  std::function<Result<void>(pid_t)> before_pivot;
  // A FIFO, open for reading and writing (fifo(7)): after start() the process waits for a byte on
  // it before it runs the program, and the caller may die meanwhile. The process has the FIFO open
  // until the program runs. start() then only tells whether the program is there to be executed.
  int start_fifo = -1;
  // A program that is there and whose execve fails (a text without "#!", an interpreter that is
  // missing) says so on its own standard error and exits with 1, as with runc; for start() it has
  // been executed. Always so after the wait on the FIFO, when nobody else is there to be told.
  bool program_tells = false;
};

// A process that was set up and waits. Destroying it before start() kills and reaps it.
class Launched {
 public:
  Launched(Launched&&) noexcept;
  Launched& operator=(Launched&&) noexcept;
  Launched(const Launched&) = delete;
  Launched& operator=(const Launched&) = delete;
  ~Launched();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  // The master of the terminal, if the spec asked for one.
  [[nodiscard]] UniqueFd& console() { return console_; }

  // Who holds it decides on the system calls that the filter asks about; to be handed on before
  // start() (send_seccomp_listener).
  [[nodiscard]] UniqueFd& seccomp_listener() { return listener_; }

  // Lets the program run. Errors name argv[0]:
  //   ENOENT   it was not found (127 for the shell); if it is there but the interpreter of its
  //            first line or its dynamic linker is not, the text says so
  //   EACCES, ENOEXEC, …   it can't be executed (126)
  // After an error the process is gone and reaped. On success the process is the caller's to reap.
  [[nodiscard]] Result<void> start();

  // Set-up steps with their times, in order: "prepare" and "clone" are the parent's, the rest the
  // child's; complete after start().
  [[nodiscard]] const std::vector<SetupLap>& laps() const { return laps_; }

 private:
  friend class Launcher;
  Launched() = default;
  void kill_and_reap();
  pid_t pid_ = -1;
  UniqueFd pidfd_, channel_, console_, listener_;
  std::string program_;
  std::vector<SetupLap> laps_;
  bool runs_at_once_ = false;
  bool started_ = false;
};

// Errors name the step: "set up container: mount proc on /proc: Operation not permitted". A death
// by the OOM killer during set-up is ENOMEM and says so. EINVAL: the spec asks for what makes no
// sense or would change the host (a hostname without a uts namespace, a sysctl that is not the
// container's own); ENOTSUP: it asks for what this host does not have. Hooks, spec.linux.seccomp
// and spec.linux.resources are the caller's: see before_pivot, compile_seccomp() and
// Cgroup::create().
[[nodiscard]] Result<Launched> launch(const LaunchRequest& request);

// A further program in a running container: `exec`. The namespaces, root and cgroup of the
// container's first process are joined; a new process is set up and waits as above.
struct ExecRequest {
  pid_t pid = -1;
  int pidfd = -1;  // of the same process, if the caller holds one: then `pid` is not looked at and
                   // can't be mistaken for a later process of that number
  const oci::Process* process = nullptr;
  std::string program;  // what is executed with process->args; empty: the first of them
  const Cgroup* cgroup = nullptr;
  Stdio stdio;
  std::span<const sock_filter> seccomp;
  uint32_t seccomp_flags = 0;
  bool seccomp_listener = false;
  unsigned preserved_fds = 0;
  bool program_tells = false;  // as in LaunchRequest
};
[[nodiscard]] Result<Launched> launch_exec(const ExecRequest& request);

}  // namespace strata::linux
