// System calls that glibc 2.36 has no wrapper for, thinly. All are async-signal-safe: they are used
// between clone and execve. Failure is -1 and errno.
#pragma once

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace strata::linux::sys {

inline pid_t clone3(const clone_args& args) {
  return static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
}

inline int openat2(int dir, const char* path, uint64_t flags, uint64_t resolve, uint64_t mode = 0) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.mode = mode;
  how.resolve = resolve;
  // A mount or rename anywhere on the machine makes the kernel give up on ".." below a root, since
  // it can't tell whether the path has left it: EAGAIN, and another try helps (openat2(2)). Not for
  // ever: what is opened O_NONBLOCK may have that error for good.
  constexpr int kTries = 1000;
  int fd = -1;
  for (int i = 0; i < kTries; ++i) {
    fd = static_cast<int>(::syscall(SYS_openat2, dir, path, &how, sizeof how));
    if (fd >= 0 || errno != EAGAIN) break;
  }
  return fd;
}

// How every path of a container is resolved from outside: as if its root were "/", and never
// through the magic links of a /proc that the path may meet.
inline constexpr uint64_t kInRoot = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;

inline int pivot_root(const char* new_root, const char* put_old) {
  return static_cast<int>(::syscall(SYS_pivot_root, new_root, put_old));
}

inline int pidfd_open(pid_t pid) {
  return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
}

inline int pidfd_send_signal(int pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0));
}

}  // namespace strata::linux::sys
