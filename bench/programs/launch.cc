// strata-bench-launch: starts one program for the harness and reports when it started, when it
// ended, when all that it left behind had ended, and what that cost.
//
//   strata-bench-launch [--report-fd N] [--mount-namespace FILE] [--root DIR] [--directory DIR]
//                       -- PROGRAM [ARGUMENT…]
//
// It stands between the harness and what is measured for three reasons. Whatever a target needs
// before its start (another mount namespace, another root) happens here, before the clock starts.
// The kernel counts the memory of the process that spawned a program as the program's own peak
// (fs/exec.c: exec_mmap() → setmax_mm_hiwater_rss()); this one is small and static, the harness is
// not. And as a child subreaper it collects the processes that a runtime leaves behind (monitors,
// conmon), with their CPU time and memory.
//
// Without --report-fd it becomes PROGRAM instead.

#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <span>
#include <string_view>

#include "bench/launch_report.h"

namespace {

using strata::bench::LaunchPhase;
using strata::bench::LaunchRecord;

struct Options {
  int report_fd = -1;
  const char* mount_namespace = nullptr;
  const char* root = nullptr;
  const char* directory = nullptr;
  char** program = nullptr;
};

int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

int64_t to_ns(const timeval& t) {
  return int64_t{t.tv_sec} * 1'000'000'000 + int64_t{t.tv_usec} * 1'000;
}

void send_record(int fd, const LaunchRecord& record) {
  // At most PIPE_BUF bytes: whole or not at all. The harness may be gone; then nobody minds.
  [[maybe_unused]] const ssize_t n = ::write(fd, &record, sizeof record);
}

[[noreturn]] void give_up(const Options& options, const char* what, int error) {
  if (options.report_fd >= 0) send_record(options.report_fd, {.error = error});
  std::fprintf(stderr, "strata-bench-launch: %s: %s\n", what, std::strerror(error));
  std::exit(EXIT_FAILURE);
}

Options parse(std::span<char*> arguments) {
  Options options;
  size_t at = 1;
  for (; at + 1 < arguments.size() && std::string_view(arguments[at]) != "--"; at += 2) {
    const std::string_view name = arguments[at];
    char* value = arguments[at + 1];
    if (name == "--report-fd") {
      options.report_fd = static_cast<int>(std::strtol(value, nullptr, 10));
    } else if (name == "--mount-namespace") {
      options.mount_namespace = value;
    } else if (name == "--root") {
      options.root = value;
    } else if (name == "--directory") {
      options.directory = value;
    } else {
      give_up({}, arguments[at], EINVAL);
    }
  }
  if (at + 1 >= arguments.size()) give_up({}, "no program given", EINVAL);
  options.program = &arguments[at + 1];
  return options;
}

void enter(const Options& options) {
  if (options.mount_namespace != nullptr) {
    const int fd = ::open(options.mount_namespace, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ::setns(fd, CLONE_NEWNS) < 0) give_up(options, options.mount_namespace, errno);
    ::close(fd);
  }
  if (options.root != nullptr && (::chroot(options.root) < 0 || ::chdir("/") < 0))
    give_up(options, options.root, errno);
  if (options.directory != nullptr && ::chdir(options.directory) < 0)
    give_up(options, options.directory, errno);
}

void add_usage(LaunchRecord& record, const rusage& usage) {
  record.user_ns += to_ns(usage.ru_utime);
  record.system_ns += to_ns(usage.ru_stime);
  record.largest_rss_bytes = std::max(record.largest_rss_bytes, int64_t{usage.ru_maxrss} * 1024);
}

// Reaps everything, the program itself and what is re-parented to us.
void reap_all(int report_fd, pid_t program, LaunchRecord& record) {
  while (true) {
    int status = 0;
    rusage usage{};
    const pid_t pid = ::wait4(-1, &status, 0, &usage);
    if (pid < 0) {
      if (errno == EINTR) continue;
      break;
    }
    const int64_t now = now_ns();
    record.gone_ns = now;
    add_usage(record, usage);
    if (pid != program) {
      if (record.phase == LaunchPhase::kExited) ++record.processes_left;
      continue;
    }
    record.exit_ns = now;
    record.wait_status = status;
    record.phase = LaunchPhase::kExited;
    send_record(report_fd, record);
  }
  record.phase = LaunchPhase::kGone;
  send_record(report_fd, record);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse({argv, static_cast<size_t>(argc)});
  enter(options);
  if (options.report_fd < 0) {
    ::execv(options.program[0], options.program);
    give_up(options, options.program[0], errno);
  }
  ::fcntl(options.report_fd, F_SETFD, FD_CLOEXEC);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);

  LaunchRecord record;
  pid_t program = -1;
  record.start_ns = now_ns();
  const int error =
      ::posix_spawn(&program, options.program[0], nullptr, nullptr, options.program, environ);
  if (error != 0) give_up(options, options.program[0], error);
  reap_all(options.report_fd, program, record);
  return 0;
}
