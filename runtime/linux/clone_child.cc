#include "runtime/linux/clone_child.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "runtime/linux/sys.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

int clone_directory(const Cgroup* cgroup) {
  if (cgroup == nullptr) return -1;
  for (const auto& directory : cgroup->directories())
    if (directory.unified) return directory.fd.get();
  return -1;
}

// Namespaces that the caller is in for the time of the clone, or that its children will be in.
class BorrowedNamespaces {
 public:
  static Result<BorrowedNamespaces> enter(const NamespacePlan& plan) {
    BorrowedNamespaces borrowed;
    for (const auto& ns : plan.borrowed) {
      STRATA_CHECK(borrowed.keep_own(ns.flags));
      if (::setns(ns.fd.get(), ns.flags) < 0) return fail_errno("join the namespace " + ns.name);
    }
    if (plan.new_time) {
      STRATA_CHECK(borrowed.keep_own(CLONE_NEWTIME));
      if (::unshare(CLONE_NEWTIME) < 0) return fail_errno("create a time namespace");
      if (!plan.time_offsets.empty())
        if (auto set = write_control("/proc/self/timens_offsets", plan.time_offsets); !set)
          return fail_in("linux.timeOffsets", std::move(set).error());
    }
    return borrowed;
  }
  BorrowedNamespaces(BorrowedNamespaces&&) noexcept = default;
  BorrowedNamespaces& operator=(BorrowedNamespaces&&) = delete;
  ~BorrowedNamespaces() {
    for (const auto& own : own_) ::setns(own.get(), 0);
  }

 private:
  BorrowedNamespaces() = default;
  // /proc/self/ns/pid is our own also when our children's is another.
  Result<void> keep_own(int flags) {
    // A pidfd, of a running container's first process, has all of them.
    for (const int flag :
         {CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP}) {
      if ((flags & flag) == 0) continue;
      STRATA_TRY(own_.emplace_back(),
                 open_file(own_namespace(static_cast<uint64_t>(flag)), O_RDONLY));
    }
    return {};
  }
  std::vector<UniqueFd> own_;
};

// A process can't leave a user namespace again, so another one enters it, makes the child there for
// us (CLONE_PARENT) and ends.
Result<pid_t> clone_in_user_namespace(int user, clone_args args, const ChildPlan& plan,
                                      ChildMain main) {
  STRATA_TRY(Channel channel, make_channel());
  clone_args plain{};
  plain.exit_signal = SIGCHLD;
  const pid_t between = sys::clone3(plain);
  if (between == 0) {
    args.flags = (args.flags & ~uint64_t{CLONE_PIDFD}) | CLONE_PARENT;
    args.pidfd = 0;
    args.exit_signal = 0;  // the parent's
    pid_t pid = ::setns(user, CLONE_NEWUSER) < 0 ? -1 : sys::clone3(args);
    if (pid == 0) main(plan);
    if (pid < 0) pid = -errno;
    ::_exit(::write(channel.child.get(), &pid, sizeof pid) == sizeof pid ? 0 : 1);
  }
  channel.child.reset();
  pid_t pid = -ECHILD;
  if (between < 0) return fail_errno("set up container: clone");
  const bool heard = ::read(channel.parent.get(), &pid, sizeof pid) == sizeof pid;
  while (::waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (!heard || pid < 0) return fail_errno("set up container: clone in the user namespace", -pid);
  return pid;
}

}  // namespace

Result<Child> clone_child(ChildPlan& plan, const NamespacePlan& namespaces, const Cgroup* cgroup,
                          ChildMain main) {
  STRATA_TRY(Channel channel, make_channel());
  // The standard streams' numbers are taken by the program's; a caller may have started us without.
  constexpr int kFirstAfterStreams = 3;
  const UniqueFd child_end(::fcntl(channel.child.get(), F_DUPFD_CLOEXEC, kFirstAfterStreams));
  if (!child_end) return fail_errno("create a socket pair");
  channel.child.reset();
  plan.channel = child_end.get();
  STRATA_TRY(const auto borrowed, BorrowedNamespaces::enter(namespaces));

  // Handed on to the child, who sets it, too: but nobody may look into it before (CVE-2016-9962).
  // Other users' own files in /proc would be out of their reach then.
  if (::geteuid() == 0 && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return fail_errno("set up container: become not dumpable");
  int pidfd = -1;
  clone_args args{};
  args.flags = namespaces.clone_flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (const int directory = clone_directory(cgroup); directory >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(directory);
  }
  Child child;
  child.channel = std::move(channel.parent);
  if (namespaces.user) {
    STRATA_TRY(child.pid, clone_in_user_namespace(namespaces.user.get(), args, plan, main));
    child.pidfd.reset(sys::pidfd_open(child.pid));
    if (!child.pidfd) return fail_errno("set up container: open its process");
    return child;
  }
  child.pid = sys::clone3(args);
  if (child.pid < 0) return fail_errno("set up container: clone");
  if (child.pid == 0) main(plan);
  child.pidfd.reset(pidfd);
  return child;
}

Result<void> map_child(pid_t pid, int channel, const ChildPlan& plan,
                       const NamespacePlan& namespaces) {
  if (!plan.user_namespace) return {};
  if (namespaces.new_user)
    if (auto mapped = write_id_maps(pid, namespaces.ids); !mapped)
      return fail_in("set up container: map its IDs", std::move(mapped).error());
  // Lowering it takes a capability outside of the user namespace.
  if (!plan.oom_score.empty())
    if (auto set = write_control("/proc/" + std::to_string(pid) + "/oom_score_adj", plan.oom_score);
        !set)
      return fail_in("set up container: set the OOM score", std::move(set).error());
  if (::send(channel, "m", 1, MSG_NOSIGNAL) < 0)
    return fail(ECHILD, "set up container: the process is gone");
  return {};
}

}  // namespace strata::linux
