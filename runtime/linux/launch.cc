#include "runtime/linux/launch.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "runtime/linux/child_plan.h"
#include "runtime/linux/prepare_launch.h"
#include "runtime/linux/setup_failure.h"
#include "runtime/linux/sys.h"

namespace strata::linux {

using Clock = std::chrono::steady_clock;

// The parent's side of both kinds of launch.
class Launcher {
 public:
  explicit Launcher(std::string program) { launched_.program_ = std::move(program); }

  // Called when the child waits for it (Step::kHooks).
  void set_before_pivot(std::function<Result<void>(pid_t)> call) {
    before_pivot_ = std::move(call);
  }

  void lap(std::string step) {
    const auto now = Clock::now();
    launched_.laps_.push_back({std::move(step), now - before_});
    before_ = now;
  }

  // Clones and waits for the child's report. `pid_namespace` is joined for the time of the clone.
  Result<Launched> run(ChildPlan& plan, uint64_t clone_flags, int pid_namespace,
                       const Cgroup* cgroup, void (*child)(const ChildPlan&) noexcept);

 private:
  Result<void> clone(ChildPlan& plan, uint64_t clone_flags, int pid_namespace, const Cgroup* cgroup,
                     void (*child)(const ChildPlan&) noexcept);

  // The next thing that the child says.
  Result<SetupReport> listen(const Cgroup* cgroup);

  Launched launched_;
  std::function<Result<void>(pid_t)> before_pivot_;
  Clock::time_point before_ = Clock::now();
};

namespace {

int clone_directory(const Cgroup* cgroup) {
  if (cgroup == nullptr) return -1;
  for (const auto& directory : cgroup->directories())
    if (directory.unified) return directory.fd.get();
  return -1;
}

void collect_v1(const Cgroup* cgroup, ChildPlan& plan) {
  if (cgroup == nullptr) return;
  for (const auto& directory : cgroup->directories())
    if (!directory.unified) plan.v1_cgroups.push_back(directory.fd.get());
}

// A pid namespace is joined by the children of whoever calls setns(2), so the parent calls it, and
// takes it back.
class PidNamespaceOfChildren {
 public:
  static Result<PidNamespaceOfChildren> join(int fd) {
    PidNamespaceOfChildren joined;
    if (fd < 0) return joined;
    joined.own_.reset(sys::pidfd_open(::getpid()));
    if (!joined.own_) return fail_errno("open our own pidfd");
    if (::setns(fd, CLONE_NEWPID) < 0) return fail_errno("join the pid namespace");
    return joined;
  }
  PidNamespaceOfChildren(PidNamespaceOfChildren&&) noexcept = default;
  PidNamespaceOfChildren& operator=(PidNamespaceOfChildren&&) = delete;
  ~PidNamespaceOfChildren() {
    if (own_) ::setns(own_.get(), CLONE_NEWPID);
  }

 private:
  PidNamespaceOfChildren() = default;
  UniqueFd own_;
};

}  // namespace

Result<void> Launcher::clone(ChildPlan& plan, uint64_t clone_flags, int pid_namespace,
                             const Cgroup* cgroup, void (*child)(const ChildPlan&) noexcept) {
  STRATA_TRY(Channel channel, make_channel());
  // The standard streams' numbers are taken by the program's; a caller may have started us without.
  constexpr int kFirstAfterStreams = 3;
  const UniqueFd child_end(::fcntl(channel.child.get(), F_DUPFD_CLOEXEC, kFirstAfterStreams));
  if (!child_end) return fail_errno("create a socket pair");
  channel.child.reset();
  plan.channel = child_end.get();
  STRATA_TRY(const auto joined, PidNamespaceOfChildren::join(pid_namespace));

  int pidfd = -1;
  clone_args args{};
  args.flags = clone_flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (const int directory = clone_directory(cgroup); directory >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(directory);
  }
  const pid_t pid = sys::clone3(args);
  if (pid < 0) return fail_errno("set up container: clone");
  if (pid == 0) child(plan);
  launched_.pid_ = pid;
  launched_.pidfd_.reset(pidfd);
  launched_.channel_ = std::move(channel.parent);
  return {};
}

Result<SetupReport> Launcher::listen(const Cgroup* cgroup) {
  STRATA_TRY(auto received, receive_report(launched_.channel_.get()));
  if (!received) return std::unexpected(explain_death(launched_.pidfd(), cgroup));
  launched_.console_ = std::move(received->fd);
  return received->report;
}

Result<Launched> Launcher::run(ChildPlan& plan, uint64_t clone_flags, int pid_namespace,
                               const Cgroup* cgroup, void (*child)(const ChildPlan&) noexcept) {
  collect_v1(cgroup, plan);
  STRATA_CHECK(clone(plan, clone_flags, pid_namespace, cgroup, child));
  lap("clone");
  STRATA_TRY(SetupReport report, listen(cgroup));
  if (report.step == Step::kHooks && report.code == 0) {
    STRATA_CHECK(before_pivot_(launched_.pid_));
    if (::send(launched_.channel_.get(), "g", 1, MSG_NOSIGNAL) < 0)
      return std::unexpected(explain_death(launched_.pidfd(), cgroup));
    STRATA_TRY(report, listen(cgroup));
  }
  if (report.step != Step::kReady)
    return std::unexpected(wrap("set up container", explain_failure(report, plan)));
  for (uint32_t i = 0; i < kStepCount; ++i)
    if (report.lap_ns[i] != 0)
      launched_.laps_.push_back({std::string(step_name(static_cast<Step>(i))),
                                 std::chrono::nanoseconds(report.lap_ns[i])});
  launched_.runs_at_once_ = plan.run_at_once;
  return std::move(launched_);
}

Launched::Launched(Launched&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      channel_(std::move(other.channel_)),
      console_(std::move(other.console_)),
      program_(std::move(other.program_)),
      laps_(std::move(other.laps_)),
      runs_at_once_(other.runs_at_once_),
      started_(other.started_) {}

Launched& Launched::operator=(Launched&& other) noexcept {
  if (this == &other) return *this;
  kill_and_reap();
  pid_ = std::exchange(other.pid_, -1);
  pidfd_ = std::move(other.pidfd_);
  channel_ = std::move(other.channel_);
  console_ = std::move(other.console_);
  program_ = std::move(other.program_);
  laps_ = std::move(other.laps_);
  runs_at_once_ = other.runs_at_once_;
  started_ = other.started_;
  return *this;
}

Launched::~Launched() {
  kill_and_reap();
}

void Launched::kill_and_reap() {
  if (pid_ < 0 || started_) return;
  sys::pidfd_send_signal(pidfd_.get(), SIGKILL);
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

Result<void> Launched::start() {
  if (pid_ < 0 || started_) return fail(EINVAL, "start " + program_ + ": it is not waiting");
  const auto before = Clock::now();
  if (!runs_at_once_ && ::send(channel_.get(), "g", 1, MSG_NOSIGNAL) < 0) {
    kill_and_reap();
    return fail(ECHILD, "start " + program_ + ": the process is gone");
  }
  auto received = receive_report(channel_.get());
  if (!received || *received) {
    kill_and_reap();
    if (!received) return std::unexpected(std::move(received).error());
    return std::unexpected(explain_exec_failure((*received)->report, program_));
  }
  started_ = true;
  channel_.reset();
  laps_.push_back({std::string(step_name(Step::kExec)), Clock::now() - before});
  return {};
}

Result<Launched> launch(const LaunchRequest& request) {
  Launcher launcher(request.spec->process.args.empty() ? "" : request.spec->process.args.front());
  ChildPlan plan;
  STRATA_TRY(auto namespaces, plan_namespaces(request.spec->linux.namespaces));
  STRATA_CHECK(prepare_launch(request, namespaces, plan));
  plan.run_at_once = request.run_at_once;
  plan.pause_before_pivot = static_cast<bool>(request.before_pivot);
  plan.start_fifo = request.start_fifo;
  plan.preserved_fds = request.preserved_fds;
  launcher.set_before_pivot(request.before_pivot);
  launcher.lap("prepare");
  return launcher.run(plan, namespaces.clone_flags, namespaces.pid.get(), request.cgroup,
                      run_launch_child);
}

Result<Launched> launch_exec(const ExecRequest& request) {
  Launcher launcher(request.process->args.empty() ? "" : request.process->args.front());
  ChildPlan plan;
  STRATA_CHECK(prepare_process(*request.process, request.stdio, request.seccomp, plan));
  plan.preserved_fds = request.preserved_fds;
  UniqueFd container(request.pidfd >= 0 ? ::fcntl(request.pidfd, F_DUPFD_CLOEXEC, 3)
                                        : sys::pidfd_open(request.pid));
  if (!container) return fail_errno("open the container's first process");
  const int pidfd = container.get();
  plan.joined.push_back({std::move(container),
                         CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP,
                         "the container"});
  launcher.lap("prepare");
  return launcher.run(plan, 0, pidfd, request.cgroup, run_exec_child);
}

}  // namespace strata::linux
