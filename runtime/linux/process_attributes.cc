#include "runtime/linux/process_attributes.h"

#include <linux/magic.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <span>
#include <string_view>

#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

struct Named {
  std::string_view name;
  uint32_t value;
};

constexpr auto kPolicies = std::to_array<Named>({{"SCHED_OTHER", SCHED_NORMAL},
                                                 {"SCHED_FIFO", SCHED_FIFO},
                                                 {"SCHED_RR", SCHED_RR},
                                                 {"SCHED_BATCH", SCHED_BATCH},
                                                 {"SCHED_ISO", 4},  // reserved, not implemented
                                                 {"SCHED_IDLE", SCHED_IDLE},
                                                 {"SCHED_DEADLINE", SCHED_DEADLINE}});

constexpr auto kFlags =
    std::to_array<Named>({{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
                          {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
                          {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
                          {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
                          {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
                          {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
                          {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX}});

// Numbers: ioprio_set(2); linux/ioprio.h is no C++.
constexpr auto kIoClasses = std::to_array<Named>(
    {{"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}});
constexpr int kIoClassShift = 13;

Result<uint32_t> value_of(std::span<const Named> names, const std::string& name,
                          const std::string& path) {
  for (const auto& known : names)
    if (known.name == name) return known.value;
  return fail(EINVAL, path + ": unknown value '" + name + "'");
}

Result<SchedulerAttributes> scheduler_of(const oci::Scheduler& scheduler) {
  SchedulerAttributes attributes;
  STRATA_TRY(attributes.policy, value_of(kPolicies, scheduler.policy, "process.scheduler.policy"));
  for (const auto& name : scheduler.flags) {
    STRATA_TRY(const uint32_t flag, value_of(kFlags, name, "process.scheduler.flags"));
    attributes.flags |= flag;
  }
  if (scheduler.priority.value_or(0) < 0)
    return fail(EINVAL, "process.scheduler.priority: below 0");
  attributes.nice = scheduler.nice.value_or(0);
  attributes.priority = static_cast<uint32_t>(scheduler.priority.value_or(0));
  attributes.runtime = scheduler.runtime.value_or(0);
  attributes.deadline = scheduler.deadline.value_or(0);
  attributes.period = scheduler.period.value_or(0);
  return attributes;
}

Result<int> io_priority_of(const oci::IoPriority& priority) {
  constexpr int kLevels = 8;
  STRATA_TRY(const uint32_t io_class,
             value_of(kIoClasses, priority.io_class, "process.ioPriority.class"));
  if (priority.priority < 0 || priority.priority >= kLevels)
    return fail(EINVAL, "process.ioPriority.priority: not between 0 and 7");
  return static_cast<int>(io_class) << kIoClassShift | priority.priority;
}

bool has_apparmor() {
  const auto enabled = read_file("/sys/module/apparmor/parameters/enabled");
  return enabled && enabled->starts_with('Y');
}

bool has_selinux() {
  struct statfs fs {};
  return ::statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

Result<void> add_labels(const oci::Process& process, ProcessAttributes& attributes) {
  // Without AppArmor every process is unconfined.
  if (!process.apparmor_profile.empty() &&
      (has_apparmor() || process.apparmor_profile != "unconfined")) {
    if (!has_apparmor())
      return fail(ENOTSUP, "process.apparmorProfile: AppArmor is not enabled on this host");
    constexpr const char* kFile = "/proc/self/attr/apparmor/exec";  // since Linux 5.8
    attributes.labels.push_back({::access(kFile, F_OK) == 0 ? kFile : "/proc/self/attr/exec",
                                 "exec " + process.apparmor_profile});
  }
  if (process.selinux_label.empty()) return {};
  if (!has_selinux())
    return fail(ENOTSUP, "process.selinuxLabel: SELinux is not enabled on this host");
  attributes.labels.push_back({"/proc/self/attr/exec", process.selinux_label});
  return {};
}

}  // namespace

Result<cpu_set_t> cpu_list(std::string_view text, const std::string& path) {
  cpu_set_t set;
  CPU_ZERO(&set);
  const auto bad = [&] {
    return fail(EINVAL, path + ": '" + std::string(text) + "' is no CPU list");
  };
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    unsigned first = 0;
    const auto [after, error] = std::from_chars(at, end, first);
    if (error != std::errc()) return bad();
    unsigned last = first;
    at = after;
    if (at != end && *at == '-') {
      const auto range = std::from_chars(at + 1, end, last);
      if (range.ec != std::errc()) return bad();
      at = range.ptr;
    }
    if (last < first || last >= CPU_SETSIZE) return bad();
    for (unsigned cpu = first; cpu <= last; ++cpu) CPU_SET(cpu, &set);
    if (at == end) break;
    if (*at != ',' || at + 1 == end) return bad();
    ++at;
  }
  if (CPU_COUNT(&set) == 0) return bad();
  return set;
}

Result<ProcessAttributes> process_attributes(const oci::Process& process) {
  ProcessAttributes attributes;
  if (process.scheduler) {
    STRATA_TRY(attributes.scheduler, scheduler_of(*process.scheduler));
  }
  if (process.io_priority) {
    STRATA_TRY(attributes.io_priority, io_priority_of(*process.io_priority));
  }
  if (process.exec_cpu_affinity && !process.exec_cpu_affinity->initial.empty()) {
    STRATA_TRY(attributes.first_cpus,
               cpu_list(process.exec_cpu_affinity->initial, "process.execCPUAffinity.initial"));
  }
  if (process.exec_cpu_affinity && !process.exec_cpu_affinity->final.empty()) {
    STRATA_TRY(attributes.final_cpus,
               cpu_list(process.exec_cpu_affinity->final, "process.execCPUAffinity.final"));
  }
  STRATA_CHECK(add_labels(process, attributes));
  return attributes;
}

Result<std::optional<unsigned long>> personality_of(const oci::Linux& linux) {
  if (!linux.personality) return std::nullopt;
  if (!linux.personality->flags.empty())
    return fail(EINVAL,
                "linux.personality.flags: unknown flag '" + linux.personality->flags.front() + "'");
  constexpr auto kDomains = std::to_array<Named>({{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}});
  STRATA_TRY(const uint32_t domain,
             value_of(kDomains, linux.personality->domain, "linux.personality.domain"));
  return domain;
}

Result<void> check_mount_label(const oci::Linux& linux) {
  if (linux.mount_label.empty()) return {};
  return fail(ENOTSUP, has_selinux() ? "linux.mountLabel: labels of mounts are not supported"
                                     : "linux.mountLabel: SELinux is not enabled on this host");
}

}  // namespace strata::linux
