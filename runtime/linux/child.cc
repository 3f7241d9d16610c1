// The child's life: one step after the other, each timed; then the wait; then execve.

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <span>

#include "runtime/linux/child_steps.h"

namespace strata::linux {
namespace {

// One byte lets the process go on; the end of the stream means that the other side is gone.
bool hear_go(int fd) {
  char go = 0;
  ssize_t n = 0;
  do {
    n = ::read(fd, &go, 1);
  } while (n < 0 && errno == EINTR);
  return n == 1;
}

int wait_for_hooks(const ChildPlan& plan, ChildState&) noexcept {
  if (!plan.pause_before_pivot) return 0;
  SetupReport paused;
  paused.step = Step::kHooks;
  if (send_report(plan.channel, paused, -1, -1) && hear_go(plan.channel)) return 0;
  errno = ECANCELED;
  return -1;
}

struct SetupStep {
  Step step;
  StepFunction take;
};

constexpr SetupStep kLaunchSteps[] = {
    {Step::kProgram, leave_program},
    {Step::kCgroup, join_cgroups},
    {Step::kLabel, set_label},
    {Step::kUserNamespace, enter_user_namespace},
    {Step::kNamespaces, enter_namespaces},
    {Step::kOomScore, set_oom_score},
    {Step::kHostname, set_hostname},
    {Step::kLoopback, set_up_loopback},
    {Step::kRoot, attach_root},
    {Step::kMounts, attach_mounts},
    {Step::kDevices, make_devices},
    {Step::kSysctl, write_sysctls},
    {Step::kMaskedPaths, mask_paths},
    {Step::kReadonlyPaths, protect_paths},
    {Step::kHooks, wait_for_hooks},
    {Step::kPivot, pivot_root},
    {Step::kTerminal, start_session_with_console},
    {Step::kRlimits, set_limits},
    {Step::kScheduling, set_scheduling},
    {Step::kDescriptors, close_descriptors},  // the directory may be one of them
    {Step::kDirectory, enter_directory},
    {Step::kIdentity, take_identity},
    {Step::kSeccomp, install_seccomp},
    {Step::kCapabilities, drop_capabilities},
};

// The container's own processes run meanwhile: when it appears among them, nothing of the host's is
// left about it (CVE-2016-9962).
constexpr SetupStep kExecSteps[] = {
    {Step::kScheduling, set_first_cpus},
    {Step::kCgroup, join_cgroups},
    {Step::kLabel, set_label},
    {Step::kOomScore, set_oom_score},  // while /proc is still the host's
    {Step::kNamespaces, enter_namespaces},
    {Step::kStreams, take_plain_streams},
    {Step::kDescriptors, close_descriptors},
    {Step::kPids, enter_pid_namespace},
    {Step::kTerminal, start_session},
    {Step::kRlimits, set_limits},
    {Step::kScheduling, set_scheduling},
    {Step::kDirectory, enter_directory},
    {Step::kIdentity, take_identity},
    {Step::kSeccomp, install_seccomp},
    {Step::kCapabilities, drop_capabilities},
};

int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

[[noreturn]] void give_up(const ChildPlan& plan, ChildState& state, Step step) {
  state.report.step = step;
  state.report.code = errno;
  send_report(plan.channel, state.report, -1, -1);
  ::_exit(1);
}

// The creator hears what can be known before the wait, and is then needed no more.
void wait_on_fifo(const ChildPlan& plan, ChildState& state) {
  if (find_program(plan, state) < 0) give_up(plan, state, Step::kExec);
  ::close(plan.channel);
  if (!hear_go(plan.start_fifo)) ::_exit(1);
}

// Unless the program is not there at all, which is its starter's error, as long as there is one.
void tell_and_exit(const ChildPlan& plan, ChildState& state) {
  const int code = errno;
  const bool is_there = find_program(plan, state) == 0;
  errno = code;
  if (!is_there && plan.start_fifo < 0) return;
  tell_exec_failure(plan, state);
  ::_exit(1);
}

[[noreturn]] void run(const ChildPlan& plan, std::span<const SetupStep> steps) {
  ChildState state;
  int64_t before = now_ns();
  for (const auto& [step, take] : steps) {
    state.report.index = 0;
    if (take(plan, state) < 0) give_up(plan, state, step);
    const int64_t after = now_ns();
    state.report.lap_ns[static_cast<size_t>(step)] = after - before;
    before = after;
  }
  // Without a parent there is nobody to run for.
  if (!send_report(plan.channel, state.report, state.master.get(), state.listener.get()))
    ::_exit(1);
  state.master.reset();
  state.listener.reset();

  if (!(plan.run_at_once && !plan.limits_from_outside) && !hear_go(plan.channel)) ::_exit(1);
  if (plan.start_fifo >= 0) wait_on_fifo(plan, state);
  execute(plan, state);
  if (plan.program_tells) tell_and_exit(plan, state);
  give_up(plan, state, Step::kExec);
}

}  // namespace

void run_launch_child(const ChildPlan& plan) noexcept {
  run(plan, kLaunchSteps);
}

void run_exec_child(const ChildPlan& plan) noexcept {
  run(plan, kExecSteps);
}

}  // namespace strata::linux
