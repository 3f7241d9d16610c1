#include "bench/micro/child.h"

#include <linux/sched.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace strata::bench::micro {
namespace {

// As fork(2), with flags.
pid_t clone_process(uint64_t flags) {
  clone_args arguments{};
  arguments.flags = flags;
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

// The child's word to its parent, in shared memory.
struct Report {
  std::chrono::steady_clock::duration took{};
  int error = 0;
};

Report& shared_report() {
  static auto* const report = static_cast<Report*>(
      ::mmap(nullptr, sizeof(Report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  return *report;
}

}  // namespace

bool clone_and_wait(uint64_t flags) {
  const pid_t pid = clone_process(flags);
  if (pid == 0) ::_exit(0);
  return pid > 0 && ::waitpid(pid, nullptr, 0) == pid;
}

std::optional<std::chrono::duration<double>> time_in_child(uint64_t flags,
                                                           const std::function<bool()>& work) {
  Report& report = shared_report();
  report = {.error = ECHILD};  // stays if the child dies
  const pid_t pid = clone_process(flags);
  if (pid < 0) return std::nullopt;
  if (pid == 0) {
    const auto start = std::chrono::steady_clock::now();
    const bool ok = work();
    report.took = std::chrono::steady_clock::now() - start;
    report.error = ok ? 0 : errno;
    ::_exit(0);
  }
  ::waitpid(pid, nullptr, 0);
  if (report.error == 0) return report.took;
  errno = report.error;
  return std::nullopt;
}

}  // namespace strata::bench::micro
