// Steps: session, terminal, standard streams.

#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "runtime/linux/child_steps.h"
#include "runtime/linux/path_in_root.h"
#include "runtime/linux/sys.h"

namespace strata::linux {
namespace {

// Out of the way of the standard streams: a caller may have been started without some.
int above_streams(int fd) {
  if (fd < 0) return -1;
  constexpr int kFirstFree = 3;
  return ::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree);
}

// The multiplexer of the container's own devpts, and nothing that the container could have put in
// its place.
UniqueFd open_multiplexer() {
  UniqueFd fd(sys::openat2(AT_FDCWD, "/dev/pts/ptmx", O_RDWR | O_NOCTTY,
                           RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS));
  struct statfs fs {};
  if (fd && (::fstatfs(fd.get(), &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC)) {
    errno = ENOTTY;
    fd.reset();
  }
  return fd;
}

int take_streams(int in, int out, int err) {
  // All aside first: one may sit where another goes.
  const UniqueFd aside_in(above_streams(in));
  const UniqueFd aside_out(above_streams(out));
  const UniqueFd aside_err(above_streams(err));
  if (!aside_in || !aside_out || !aside_err) return -1;
  return ::dup2(aside_in.get(), STDIN_FILENO) < 0 || ::dup2(aside_out.get(), STDOUT_FILENO) < 0 ||
                 ::dup2(aside_err.get(), STDERR_FILENO) < 0
             ? -1
             : 0;
}

// A program that is not root may reopen its streams as /dev/stdout, as docker's users expect. Only
// pipes are given away: a terminal or a file belongs to someone.
void give_pipes_to(uid_t uid) {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    struct stat st {};
    if (::fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && st.st_uid != uid)
      (void)::fchown(fd, uid, static_cast<gid_t>(-1));
  }
}

int open_terminal(const ChildPlan& plan, ChildState& state, UniqueFd& slave) {
  const UniqueFd master = open_multiplexer();
  int unlock = 0;
  if (!master || ::ioctl(master.get(), TIOCSPTLCK, &unlock) < 0) return -1;
  slave.reset(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave || ::fchown(slave.get(), plan.uid, static_cast<gid_t>(-1)) < 0) return -1;
  if (plan.console_size && ::ioctl(master.get(), TIOCSWINSZ, &*plan.console_size) < 0) return -1;
  state.master.reset(above_streams(master.get()));
  return ::ioctl(slave.get(), TIOCSCTTY, 0) < 0 ||
                 take_streams(slave.get(), slave.get(), slave.get()) < 0
             ? -1
             : 0;
}

// On no link's target: by now the paths that are to be read-only are so (CVE-2025-52565).
int bind_console(int slave) {
  const UniqueFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd console(open_mount_point(root.get(), "/dev/console", PointKind::kPlainFile));
  const UniqueFd mount(::open_tree(slave, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
  if (!console || !mount) return -1;
  return ::move_mount(mount.get(), "", console.get(), "",
                      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

// Keys of the caller's session are not the container's. Made as root, whose quota for them is not
// 200 (keyrings(7)); kernels without keys and sandboxes that forbid them have none to share.
int leave_session_keyring() {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0) return 0;
  return errno == ENOSYS || errno == EPERM ? 0 : -1;
}

int start(const ChildPlan& plan, ChildState& state, bool with_console) {
  if (::setsid() < 0 || leave_session_keyring() < 0) return -1;
  if (plan.terminal) {
    UniqueFd slave;
    if (open_terminal(plan, state, slave) < 0) return -1;
    return with_console ? bind_console(slave.get()) : 0;
  }
  if (!state.has_streams && take_plain_streams(plan, state) < 0) return -1;
  if (plan.uid != 0) give_pipes_to(plan.uid);
  return 0;
}

}  // namespace

// With a terminal to come there are none: the caller's own are not for the container.
int take_plain_streams(const ChildPlan& plan, ChildState& state) noexcept {
  state.has_streams = true;
  const auto or_null = [&](int fd) { return fd >= 0 && !plan.terminal ? fd : plan.null.get(); };
  return take_streams(or_null(plan.stdio.in), or_null(plan.stdio.out), or_null(plan.stdio.err));
}

int start_session_with_console(const ChildPlan& plan, ChildState& state) noexcept {
  return start(plan, state, true);
}

int start_session(const ChildPlan& plan, ChildState& state) noexcept {
  return start(plan, state, false);
}

}  // namespace strata::linux
