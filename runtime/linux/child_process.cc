// Steps: identity, capabilities, seccomp, execve.

#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/linux/child_steps.h"

namespace strata::linux {
namespace {

constexpr unsigned kFirstAfterStreams = 3;

int close_between(unsigned first, unsigned last) {
  if (first > last) return 0;
  return static_cast<int>(::syscall(SYS_close_range, first, last, 0));
}

// A program starts with default dispositions and no signal blocked, whatever its starter ignored.
void reset_signals() {
  struct sigaction as_default {};
  as_default.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &as_default, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A user namespace that was made without privileges has no groups to be set or left
// (user_namespaces(7), /proc/<pid>/setgroups).
bool groups_are_fixed() {
  const UniqueFd fd(::open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC));
  char first = 0;
  return fd && ::read(fd.get(), &first, 1) == 1 && first == 'd';  // "deny"
}

bool exists(const char* path) {
  return ::faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) == 0;
}

}  // namespace

// The permitted set is kept over the change of uid; what is not wanted goes in drop_capabilities.
int take_identity(const ChildPlan& plan, ChildState&) noexcept {
  if (limit_bounding_set(plan.capabilities.bounding) < 0) return -1;
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return -1;
  // The system calls themselves: glibc's wrappers would signal other threads.
  if (::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) < 0 &&
      !(errno == EPERM && plan.groups.empty() && groups_are_fixed()))
    return -1;
  if (::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) < 0) return -1;
  if (::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) < 0) return -1;
  if (plan.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return -1;
  ::umask(plan.umask);
  return 0;
}

// The caller's descriptors go before the wait for start(), so that nobody who waits for the end of
// a pipe waits for a container that was created and not started.
int close_descriptors(const ChildPlan& plan, ChildState& state) noexcept {
  const auto channel = static_cast<unsigned>(plan.channel);
  const auto or_channel = [&](int fd) { return fd >= 0 ? static_cast<unsigned>(fd) : channel; };
  std::array kept{channel, or_channel(state.master.get()), or_channel(plan.start_fifo)};
  std::sort(kept.begin(), kept.end());
  unsigned first = kFirstAfterStreams + plan.preserved_fds;
  for (const unsigned fd : kept) {
    if (fd < first) continue;
    if (close_between(first, fd - 1) < 0) return -1;
    first = fd + 1;
  }
  return close_between(first, ~0U);
}

// Without no_new_privs this needs CAP_SYS_ADMIN (seccomp(2)), which the program may not have: so it
// comes before the capabilities are dropped, and the filter has to allow capset and prctl.
int install_seccomp(const ChildPlan& plan, ChildState& state) noexcept {
  if (plan.seccomp.empty()) return 0;
  if (plan.uid != 0 && raise_permitted() < 0) return -1;
  const sock_fprog program{static_cast<unsigned short>(plan.seccomp.size()),
                           const_cast<sock_filter*>(plan.seccomp.data())};
  const unsigned flags = plan.seccomp_flags |
                         (plan.seccomp_listener ? unsigned{SECCOMP_FILTER_FLAG_NEW_LISTENER} : 0U);
  const auto done =
      static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
  if (done >= 0 && plan.seccomp_listener) state.listener.reset(done);
  return done;
}

int drop_capabilities(const ChildPlan& plan, ChildState&) noexcept {
  if (set_capabilities(plan.capabilities) < 0) return -1;
  return set_ambient(plan.capabilities.ambient);
}

int find_program(const ChildPlan& plan, ChildState& state) noexcept {
  int code = ENOENT;
  for (uint32_t i = 0; i < plan.candidates.size(); ++i) {
    const char* path = plan.candidates[i].c_str();
    struct stat st {};
    const bool directory = ::stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (!directory && ::faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0) return 0;
    if (!directory && (errno == ENOENT || errno == ENOTDIR)) continue;
    code = EACCES;
    state.report.index = i;
  }
  errno = code;
  return -1;
}

// The words are those of Go, where errors begin with a small letter.
void tell_exec_failure(const ChildPlan& plan, const ChildState& state) noexcept {
  const char* reason = ::strerrordesc_np(errno);
  if (reason == nullptr || plan.candidates.empty()) return;
  const auto& path =
      plan.candidates[std::min<size_t>(state.report.index, plan.candidates.size() - 1)];
  char first = *reason;
  if (first >= 'A' && first <= 'Z') first = static_cast<char>(first - 'A' + 'a');
  const auto part = [](const char* text, size_t size) {
    return iovec{const_cast<char*>(text), size};
  };
  const std::array parts{part("exec ", 5), part(path.data(), path.size()),         part(": ", 2),
                         part(&first, 1),  part(reason + 1, ::strlen(reason + 1)), part("\n", 1)};
  [[maybe_unused]] const auto told = ::writev(STDERR_FILENO, parts.data(), parts.size());
}

// As execvp(3) searches: a candidate that may not be run counts only if no other is found.
int execute(const ChildPlan& plan, ChildState& state) noexcept {
  reset_signals();
  int code = ENOENT;
  for (uint32_t i = 0; i < plan.candidates.size(); ++i) {
    const char* path = plan.candidates[i].c_str();
    ::execve(path, plan.argv.data(), plan.envp.data());
    const bool missing = errno == ENOENT || errno == ENOTDIR;
    if (missing && !exists(path)) continue;
    code = errno;
    state.report.index = i;
    // The file is there, so what is not is the interpreter of a script or the dynamic linker.
    state.report.interpreter_missing = missing ? 1 : 0;
    if (code != EACCES) break;
  }
  errno = code;
  return -1;
}

}  // namespace strata::linux
