#include "probes/cli/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace strata::probes::cli {
namespace {

// For the handler. Written before the handlers are there, or atomic by nature (one int).
volatile sig_atomic_t g_command = -1;  // pidfd
volatile sig_atomic_t g_stop = -1;     // eventfd

void on_signal(int number) {
  const int saved = errno;
  if (number == SIGTERM || number == SIGHUP)
    ::syscall(SYS_pidfd_send_signal, g_command, number, nullptr, 0);
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(g_stop, &one, sizeof(one));
  errno = saved;
}

}  // namespace

Result<SignalRelay> SignalRelay::install() {
  SignalRelay relay;
  relay.stop_read_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!relay.stop_read_) return fail_errno("eventfd");
  g_stop = relay.stop_read_.get();
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP}) {
    struct sigaction old {};
    if (::sigaction(number, nullptr, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    // A handler, not SIG_IGN: execve puts it back to the default for the command.
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(number, &action, nullptr);
  }
  return relay;
}

void SignalRelay::pass_on_to(int pidfd) {
  g_command = ::fcntl(pidfd, F_DUPFD_CLOEXEC, 0);
}

}  // namespace strata::probes::cli
