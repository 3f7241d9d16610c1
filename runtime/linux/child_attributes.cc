// Steps: labels, limits, scheduling.

#include <fcntl.h>
#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/linux/child_steps.h"

namespace strata::linux {

int set_first_cpus(const ChildPlan& plan, ChildState&) noexcept {
  const auto& cpus = plan.attributes.first_cpus;
  return cpus ? ::sched_setaffinity(0, sizeof *cpus, &*cpus) : 0;
}

// While /proc is the host's and the process is still its caller's: only itself may write there.
int set_label(const ChildPlan& plan, ChildState& state) noexcept {
  for (const auto& label : plan.attributes.labels) {
    const UniqueFd fd(::open(label.file.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd || ::write(fd.get(), label.text.data(), label.text.size()) < 0) return -1;
    ++state.report.index;
  }
  return 0;
}

int set_limits(const ChildPlan& plan, ChildState& state) noexcept {
  if (plan.limits_from_outside && state.process == 0) return 0;
  for (const auto& limit : plan.limits) {
    if (::syscall(SYS_prlimit64, state.process, limit.resource, &limit.value, nullptr) < 0)
      return -1;
    ++state.report.index;
  }
  return 0;
}

// As ioprio_set(2) calls it; linux/ioprio.h is no C++.
constexpr int kOneProcess = 1;

int set_scheduling(const ChildPlan& plan, ChildState& state) noexcept {
  const auto& attributes = plan.attributes;
  if (state.process == 0 && attributes.personality && ::personality(*attributes.personality) < 0)
    return -1;
  if (plan.limits_from_outside && state.process == 0) return 0;
  if (attributes.final_cpus && ::sched_setaffinity(state.process, sizeof *attributes.final_cpus,
                                                   &*attributes.final_cpus) < 0)
    return -1;
  if (attributes.io_priority &&
      ::syscall(SYS_ioprio_set, kOneProcess, state.process, *attributes.io_priority) < 0)
    return -1;
  if (!attributes.scheduler) return 0;
  return static_cast<int>(::syscall(SYS_sched_setattr, state.process, &*attributes.scheduler, 0));
}

}  // namespace strata::linux
