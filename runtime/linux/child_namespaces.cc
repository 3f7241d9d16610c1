// Steps: cgroups, namespaces, what belongs to them.

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/linux/child_steps.h"
#include "runtime/linux/loopback.h"
#include "runtime/linux/sys.h"

namespace strata::linux {
namespace {

int write_file(int dir, const char* path, const char* text, size_t size) {
  const UniqueFd fd(::openat(dir, path, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text, size) >= 0 ? 0 : -1;
}

// Root of the user namespace that the process is in: what it makes from here on is that root's.
int become_root() {
  return ::syscall(SYS_setresgid, 0, 0, 0) < 0 || ::syscall(SYS_setresuid, 0, 0, 0) < 0 ? -1 : 0;
}

// A container without a user namespace of its own has the caller's, and that can't be joined.
int join_namespaces(const JoinedNamespace& ns) {
  if (::setns(ns.fd.get(), ns.flags) == 0)
    return (ns.flags & CLONE_NEWUSER) != 0 ? become_root() : 0;
  if ((ns.flags & CLONE_NEWUSER) == 0 || errno != EINVAL) return -1;
  return ::setns(ns.fd.get(), ns.flags & ~CLONE_NEWUSER);
}

}  // namespace

int leave_program(const ChildPlan& plan, ChildState&) noexcept {
  return take_stand_in(plan.stand_in);
}

// "0" means the writer. For a single thread the kernel need not wait until no thread group changes
// (cgroup_procs_write_start), so this takes microseconds where a write of the pid to cgroup.procs
// takes an RCU grace period.
int join_cgroups(const ChildPlan& plan, ChildState& state) noexcept {
  for (const int directory : plan.v1_cgroups) {
    if (write_file(directory, "tasks", "0", 1) < 0) return -1;
    ++state.report.index;
  }
  return 0;
}

// One byte says that the IDs are mapped.
int enter_user_namespace(const ChildPlan& plan, ChildState&) noexcept {
  if (!plan.user_namespace) return 0;
  char mapped = 0;
  ssize_t n = 0;
  do {
    n = ::read(plan.channel, &mapped, 1);
  } while (n < 0 && errno == EINTR);
  if (n == 1) return become_root();
  if (n == 0) errno = ECANCELED;
  return -1;
}

int enter_namespaces(const ChildPlan& plan, ChildState& state) noexcept {
  // Nobody may look into a process that has the host's program mapped and is already among the
  // container's (CVE-2016-9962); execve makes it an ordinary process again.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) return -1;
  for (const auto& ns : plan.joined) {
    if (join_namespaces(ns) < 0) return -1;
    ++state.report.index;
  }
  return plan.unshare_flags == 0 ? 0 : ::unshare(static_cast<int>(plan.unshare_flags));
}

int enter_pid_namespace(const ChildPlan& plan, ChildState&) noexcept {
  clone_args args{};
  args.flags = CLONE_PARENT;  // and its exit signal
  const pid_t pid = sys::clone3(args);
  if (pid <= 0) return pid;
  SetupReport heir;
  heir.step = Step::kPids;
  heir.index = static_cast<uint32_t>(pid);
  ::_exit(send_report(plan.channel, heir, -1, -1) ? 0 : 1);
}

int set_oom_score(const ChildPlan& plan, ChildState&) noexcept {
  if (plan.oom_score.empty() || plan.user_namespace) return 0;  // there map_child() does it
  return write_file(AT_FDCWD, "/proc/self/oom_score_adj", plan.oom_score.data(),
                    plan.oom_score.size());
}

int set_hostname(const ChildPlan& plan, ChildState&) noexcept {
  if (!plan.hostname.empty() && ::sethostname(plan.hostname.data(), plan.hostname.size()) < 0)
    return -1;
  return plan.domainname.empty() ? 0
                                 : ::setdomainname(plan.domainname.data(), plan.domainname.size());
}

int set_up_loopback(const ChildPlan& plan, ChildState&) noexcept {
  return plan.new_network ? bring_loopback_up() : 0;
}

}  // namespace strata::linux
