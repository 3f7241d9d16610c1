#include "runtime/linux/setup_failure.h"

#include <signal.h>
#include <sys/wait.h>

#include <cstring>

namespace strata::linux {
namespace {

template <class T>
const T* at(const std::vector<T>& list, uint32_t index) {
  return index < list.size() ? &list[index] : nullptr;
}

std::string describe_mount(const Attachment* attachment) {
  if (attachment == nullptr || attachment->mount == nullptr) return "mount";
  const auto& mount = *attachment->mount;
  const bool bind = mount.kind == PlannedMount::Kind::kBind;
  return "mount " + (bind ? mount.source : mount.type) + " on " + attachment->target;
}

std::string describe(const SetupReport& report, const ChildPlan& plan) {
  switch (report.step) {
    case Step::kLabel:
      if (const auto* label = at(plan.attributes.labels, report.index))
        return "write '" + label->text + "' to " + label->file;
      return "security label";
    case Step::kDevices:
      if (const auto* device = at(plan.devices, report.index)) return "create " + device->path;
      return "devices";
    case Step::kScheduling:
      return "set process.scheduler, ioPriority, execCPUAffinity or linux.personality";
    case Step::kUserNamespace:
      return "become root of the user namespace";
    case Step::kNamespaces:
      if (const auto* joined = at(plan.joined, report.index))
        return "join the namespaces of " + joined->name;
      return "create namespaces";
    case Step::kOomScore:
      return "set the OOM score to " + plan.oom_score;
    case Step::kHostname:
      return "set the hostname to '" + plan.hostname + "', the domain name to '" + plan.domainname +
             "'";
    case Step::kLoopback:
      return "bring lo up";
    case Step::kMounts:
      return describe_mount(at(plan.attachments, report.index));
    case Step::kSysctl:
      if (const auto* sysctl = at(plan.sysctls, report.index))
        return "write '" + sysctl->value + "' to " + sysctl->path;
      return "sysctl";
    case Step::kMaskedPaths:
      if (const auto* path = at(plan.masked_paths, report.index)) return "mask " + *path;
      return "masked paths";
    case Step::kReadonlyPaths:
      if (const auto* path = at(plan.readonly_paths, report.index))
        return "make " + *path + " read-only";
      return "read-only paths";
    case Step::kTerminal:
      return plan.terminal ? "set up the terminal" : "set up the session";
    case Step::kRlimits:
      if (const auto* limit = at(plan.limits, report.index)) return "set " + limit->name;
      return "limits";
    case Step::kDirectory:
      return "enter the working directory " + plan.directory;
    case Step::kIdentity:
      return "become user " + std::to_string(plan.uid) + ":" + std::to_string(plan.gid);
    case Step::kSeccomp:
      return "install the seccomp filter";
    case Step::kCapabilities:
      return "set capabilities";
    default:
      return std::string(step_name(report.step));
  }
}

}  // namespace

Error explain_failure(const SetupReport& report, const ChildPlan& plan) {
  std::string what = describe(report, plan);
  if (report.complaint[0] != '\0') what += ": " + std::string(report.complaint.data());
  return posix_error(what, report.code);
}

Error explain_death(int pidfd, const Cgroup* cgroup) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
  const std::string what = "set up container: the process ";
  if (info.si_code == CLD_KILLED && info.si_status == SIGKILL && cgroup != nullptr &&
      cgroup->stats().oom_killed)
    return {ENOMEM, what + "was killed for lack of memory: its memory limit is too small"};
  if (info.si_code == CLD_EXITED)
    return {ECHILD, what + "ended with status " + std::to_string(info.si_status)};
  return {ECHILD, what + "was killed by signal " + std::to_string(info.si_status)};
}

Error explain_exec_failure(const SetupReport& report, const std::string& program) {
  const std::string what =
      report.interpreter_missing != 0
          ? "execute " + program + ": it is there, but its interpreter or dynamic linker is not"
          : "execute " + program;
  return posix_error(what, report.code);
}

}  // namespace strata::linux
