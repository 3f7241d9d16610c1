#include "runtime/linux/launch.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "runtime/linux/child_steps.h"
#include "runtime/linux/clone_child.h"
#include "runtime/linux/own_user_namespace.h"
#include "runtime/linux/prepare_launch.h"
#include "runtime/linux/setup_failure.h"
#include "runtime/linux/sys.h"

namespace strata::linux {

using Clock = std::chrono::steady_clock;

// The parent's side of both kinds of launch.
class Launcher {
 public:
  explicit Launcher(std::string program) { launched_.program_ = std::move(program); }

  // The child goes on as another process (Step::kPids).
  void expect_heir() { expects_heir_ = true; }

  // Called when the child waits for it (Step::kHooks).
  void set_before_pivot(std::function<Result<void>(pid_t)> call) {
    before_pivot_ = std::move(call);
  }

  void lap(std::string step) {
    const auto now = Clock::now();
    launched_.laps_.push_back({std::move(step), now - before_});
    before_ = now;
  }

  // Clones and waits for the child's report.
  Result<Launched> run(ChildPlan& plan, const NamespacePlan& namespaces, const Cgroup* cgroup,
                       ChildMain main);

 private:
  Result<void> clone(ChildPlan& plan, const NamespacePlan& namespaces, const Cgroup* cgroup,
                     ChildMain main);
  Result<void> send_go(const Cgroup* cgroup);

  // The next thing that the child says.
  Result<SetupReport> listen(const Cgroup* cgroup);
  // The child has ended and left its work to another one.
  Result<void> adopt(pid_t pid);

  Launched launched_;
  bool expects_heir_ = false;
  std::function<Result<void>(pid_t)> before_pivot_;
  Clock::time_point before_ = Clock::now();
};

namespace {

void collect_v1(const Cgroup* cgroup, ChildPlan& plan) {
  if (cgroup == nullptr) return;
  for (const auto& directory : cgroup->directories())
    if (!directory.unified) plan.v1_cgroups.push_back(directory.fd.get());
}

// What a child in a user namespace may not do for itself, when nothing else is left to be done.
Result<void> set_limits_of(pid_t pid, const ChildPlan& plan) {
  ChildState state;
  state.process = pid;
  constexpr std::pair<Step, StepFunction> kSteps[] = {{Step::kRlimits, set_limits},
                                                      {Step::kScheduling, set_scheduling}};
  for (const auto& [step, take] : kSteps) {
    state.report.index = 0;
    if (take(plan, state) == 0) continue;
    state.report.step = step;
    state.report.code = errno;
    return std::unexpected(wrap("set up container", explain_failure(state.report, plan)));
  }
  return {};
}

}  // namespace

Result<void> Launcher::clone(ChildPlan& plan, const NamespacePlan& namespaces, const Cgroup* cgroup,
                             ChildMain main) {
  STRATA_TRY(Child child, clone_child(plan, namespaces, cgroup, main));
  launched_.pid_ = child.pid;
  launched_.pidfd_ = std::move(child.pidfd);
  launched_.channel_ = std::move(child.channel);
  return map_child(launched_.pid_, launched_.channel_.get(), plan, namespaces);
}

Result<void> Launcher::send_go(const Cgroup* cgroup) {
  if (::send(launched_.channel_.get(), "g", 1, MSG_NOSIGNAL) >= 0) return {};
  return std::unexpected(explain_death(launched_.pidfd(), cgroup));
}

// The heir may be heard of before it is announced.
Result<SetupReport> Launcher::listen(const Cgroup* cgroup) {
  std::optional<SetupReport> early;
  while (!early || expects_heir_) {
    STRATA_TRY(auto received, receive_report(launched_.channel_.get()));
    if (!received && early) break;
    if (!received) return std::unexpected(explain_death(launched_.pidfd(), cgroup));
    if (expects_heir_ && received->report.step == Step::kPids && received->report.code == 0) {
      STRATA_CHECK(adopt(static_cast<pid_t>(received->report.index)));
      continue;
    }
    early = received->report;
    launched_.console_ = std::move(received->console);
    launched_.listener_ = std::move(received->listener);
  }
  return *early;
}

Result<void> Launcher::adopt(pid_t pid) {
  expects_heir_ = false;
  launched_.kill_and_reap();
  siginfo_t info{};
  // A child of ours, and not anybody's process.
  if (pid <= 0 || ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) < 0)
    return fail_errno("set up container: find its process");
  launched_.pid_ = pid;
  launched_.pidfd_.reset(sys::pidfd_open(pid));
  if (launched_.pidfd_) return {};
  const int code = errno;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  launched_.pid_ = -1;
  return fail_errno("set up container: open its process", code);
}

Result<Launched> Launcher::run(ChildPlan& plan, const NamespacePlan& namespaces,
                               const Cgroup* cgroup, ChildMain main) {
  collect_v1(cgroup, plan);
  STRATA_CHECK(clone(plan, namespaces, cgroup, main));
  lap("clone");
  STRATA_TRY(SetupReport report, listen(cgroup));
  if (report.step == Step::kHooks && report.code == 0) {
    STRATA_CHECK(before_pivot_(launched_.pid_));
    STRATA_CHECK(send_go(cgroup));
    STRATA_TRY(report, listen(cgroup));
  }
  if (report.step != Step::kReady)
    return std::unexpected(wrap("set up container", explain_failure(report, plan)));
  if (plan.limits_from_outside) {
    STRATA_CHECK(set_limits_of(launched_.pid_, plan));
    if (plan.run_at_once) STRATA_CHECK(send_go(cgroup));
  }
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
      listener_(std::move(other.listener_)),
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
  listener_ = std::move(other.listener_);
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

namespace {

// It is joined then, not made.
void use_early_network(EarlyNetwork* network, ChildPlan& plan) {
  if (network == nullptr) return;
  UniqueFd made = network->take();
  if (!made) return;
  plan.joined.push_back({std::move(made), CLONE_NEWNET, "network"});
  plan.unshare_flags &= ~uint64_t{CLONE_NEWNET};
  plan.new_network = false;
}

}  // namespace

Result<Launched> launch(const LaunchRequest& request) {
  Launcher launcher(request.spec->process.args.empty() ? "" : request.spec->process.args.front());
  ChildPlan plan;
  STRATA_TRY(auto namespaces, plan_namespaces(request.spec->linux));
  STRATA_CHECK(prepare_launch(request, namespaces, plan));
  use_early_network(request.network, plan);
  plan.run_at_once = request.run_at_once;
  plan.pause_before_pivot = static_cast<bool>(request.before_pivot);
  plan.start_fifo = request.start_fifo;
  plan.program_tells = request.program_tells || request.start_fifo >= 0;
  plan.preserved_fds = request.preserved_fds;
  launcher.set_before_pivot(request.before_pivot);
  launcher.lap("prepare");
  return launcher.run(plan, namespaces, request.cgroup, run_launch_child);
}

namespace {

// The child joins all but the time namespace, which only a child of who joins it is in.
Result<void> join_all(UniqueFd container, NamespacePlan& namespaces, ChildPlan& plan) {
  uint64_t flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET |
                   CLONE_NEWCGROUP | CLONE_NEWPID | CLONE_NEWTIME;
  if (in_user_namespace()) {
    STRATA_TRY(flags, namespaces_unlike_ours(container.get(), flags));
  }
  if ((flags & CLONE_NEWTIME) != 0)
    namespaces.borrowed.push_back(
        {UniqueFd(::fcntl(container.get(), F_DUPFD_CLOEXEC, 3)), CLONE_NEWTIME, "the container"});
  flags &= ~uint64_t{CLONE_NEWTIME};
  if (flags != 0)
    plan.joined.push_back({std::move(container), static_cast<int>(flags), "the container"});
  return {};
}

}  // namespace

Result<Launched> launch_exec(const ExecRequest& request) {
  Launcher launcher(request.process->args.empty() ? "" : request.process->args.front());
  ChildPlan plan;
  STRATA_CHECK(prepare_process(*request.process, request.stdio, request.seccomp, plan));
  plan.preserved_fds = request.preserved_fds;
  plan.program_tells = request.program_tells;
  UniqueFd container(request.pidfd >= 0 ? ::fcntl(request.pidfd, F_DUPFD_CLOEXEC, 3)
                                        : sys::pidfd_open(request.pid));
  if (!container) return fail_errno("open the container's first process");
  plan.seccomp_flags = request.seccomp_flags;
  plan.seccomp_listener = request.seccomp_listener;
  // The container may have a user namespace, in which no limit can be raised. Who can't raise one
  // either may not set those of a process of another user (prlimit(2)), which can lower its own.
  STRATA_TRY(const CapabilitySets own, own_capabilities());
  plan.limits_from_outside = (own.effective & (CapabilityMask{1} << CAP_SYS_RESOURCE)) != 0;
  if (!request.program.empty()) plan.candidates = {request.program};
  NamespacePlan namespaces;
  STRATA_CHECK(join_all(std::move(container), namespaces, plan));
  launcher.expect_heir();
  launcher.lap("prepare");
  return launcher.run(plan, namespaces, request.cgroup, run_exec_child);
}

}  // namespace strata::linux
