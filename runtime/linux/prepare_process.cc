// From a spec's process to what the child needs of it.

#include <fcntl.h>
#include <linux/capability.h>

#include <algorithm>
#include <array>

#include "runtime/linux/child_plan.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct LimitName {
  std::string_view name;
  int resource;
};
constexpr auto kLimits = std::to_array<LimitName>({
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
});

Result<void> check_strings(const std::vector<std::string>& strings, const char* member) {
  for (const auto& s : strings)
    if (s.find('\0') != std::string::npos)
      return fail(EINVAL, std::string("process.") + member + ": a NUL in '" +
                              s.substr(0, s.find('\0')) + "'");
  return {};
}

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (auto& s : strings) pointers.push_back(s.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Where execvp(3) would look: the PATH is the container's, and so is every name in it.
std::vector<std::string> candidates_for(const std::string& name,
                                        const std::vector<std::string>& env) {
  if (name.find('/') != std::string::npos) return {name};
  std::string_view path = kDefaultPath;
  for (const auto& entry : env)
    if (entry.starts_with("PATH=")) path = std::string_view(entry).substr(5);
  std::vector<std::string> candidates;
  for (size_t at = 0; at <= path.size();) {
    const size_t end = std::min(path.find(':', at), path.size());
    const auto directory = path.substr(at, end - at);
    candidates.push_back((directory.empty() ? "." : std::string(directory)) + "/" + name);
    at = end + 1;
  }
  return candidates;
}

// What can't be granted is said here, by name; in the child it would be a bare EPERM.
Result<void> prepare_capabilities(const oci::Capabilities& names, ChildPlan& plan) {
  STRATA_TRY(plan.capabilities, capability_sets(names));
  // Ambient ones have to be permitted and inheritable (capabilities(7)). `runc spec` writes others;
  // runc and crun pass over them.
  plan.capabilities.ambient &= plan.capabilities.permitted & plan.capabilities.inheritable;
  STRATA_TRY(const CapabilitySets own, own_capabilities());
  const CapabilityMask lacking = plan.capabilities.permitted & ~own.permitted;
  if (lacking != 0)
    return fail(EPERM,
                "process.capabilities: this process itself lacks " + capability_names(lacking));
  return {};
}

Result<void> prepare_limit(const oci::Rlimit& rlimit, bool may_raise, ChildPlan& plan) {
  const auto* known = std::find_if(kLimits.begin(), kLimits.end(),
                                   [&](const LimitName& l) { return l.name == rlimit.type; });
  if (known == kLimits.end())
    return fail(EINVAL, "process.rlimits: unknown limit '" + rlimit.type + "'");
  if (rlimit.soft > rlimit.hard)
    return fail(EINVAL, "process.rlimits: " + rlimit.type + ": soft limit above the hard one");
  for (const auto& earlier : plan.limits)
    if (earlier.resource == known->resource)
      return fail(EINVAL, "process.rlimits: " + rlimit.type + " is given twice");
  struct rlimit own {};
  if (!may_raise && ::getrlimit(static_cast<__rlimit_resource>(known->resource), &own) == 0 &&
      rlimit.hard > own.rlim_max)
    return fail(EPERM, "process.rlimits: " + rlimit.type + " can't be set to " +
                           std::to_string(rlimit.hard) + ": our own hard limit is " +
                           std::to_string(own.rlim_max) + " and CAP_SYS_RESOURCE is missing");
  plan.limits.push_back({known->resource, {rlimit.soft, rlimit.hard}, rlimit.type});
  return {};
}

}  // namespace

Result<void> prepare_process(const oci::Process& process, const Stdio& stdio,
                             std::span<const sock_filter> seccomp, ChildPlan& plan) {
  if (process.args.empty()) return fail(EINVAL, "process.args: no program given");
  STRATA_CHECK(check_strings(process.args, "args"));
  STRATA_CHECK(check_strings(process.env, "env"));
  if (!process.cwd.starts_with('/') || process.cwd.find('\0') != std::string::npos)
    return fail(EINVAL, "process.cwd: '" + process.cwd + "' is not an absolute path");
  plan.arguments = process.args;
  plan.environment = process.env;
  plan.argv = pointers_to(plan.arguments);
  plan.envp = pointers_to(plan.environment);
  plan.candidates = candidates_for(process.args.front(), process.env);
  plan.directory = process.cwd;

  plan.uid = process.user.uid;
  plan.gid = process.user.gid;
  plan.groups.assign(process.user.additional_gids.begin(), process.user.additional_gids.end());
  plan.umask = static_cast<mode_t>(process.user.umask.value_or(022));
  STRATA_CHECK(prepare_capabilities(process.capabilities, plan));
  plan.no_new_privileges = process.no_new_privileges;
  if (process.oom_score_adj) plan.oom_score = std::to_string(*process.oom_score_adj);
  STRATA_TRY(plan.attributes, process_attributes(process));
  if (process.console_size) {
    if (process.console_size->height > UINT16_MAX || process.console_size->width > UINT16_MAX)
      return fail(EINVAL, "process.consoleSize: no terminal is so large");
    plan.console_size = winsize{static_cast<unsigned short>(process.console_size->height),
                                static_cast<unsigned short>(process.console_size->width), 0, 0};
  }
  if (!process.rlimits.empty()) {
    STRATA_TRY(const CapabilitySets own, own_capabilities());
    const bool may_raise = (own.effective & (CapabilityMask{1} << CAP_SYS_RESOURCE)) != 0;
    for (const auto& rlimit : process.rlimits) STRATA_CHECK(prepare_limit(rlimit, may_raise, plan));
  }

  plan.seccomp = seccomp;
  plan.terminal = process.terminal;
  plan.stdio = stdio;
  if (plan.terminal || stdio.in < 0 || stdio.out < 0 || stdio.err < 0) {
    STRATA_TRY(plan.null, open_file("/dev/null", O_RDWR));
  }
  return {};
}

}  // namespace strata::linux
