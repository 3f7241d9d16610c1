#include "bench/interrupt.h"

#include <poll.h>
#include <sys/signalfd.h>

namespace strata::bench {

Result<Interrupt> Interrupt::watch() {
  sigset_t signals;
  sigset_t previous;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  if (const int rc = ::pthread_sigmask(SIG_BLOCK, &signals, &previous); rc != 0)
    return fail_errno("block signals", rc);
  UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail_errno("signalfd");
  return Interrupt(std::move(fd), previous);
}

Interrupt::~Interrupt() {
  if (!fd_) return;
  // A signal that was taken up must not kill the process now.
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

bool Interrupt::raised() const {
  pollfd poll{fd_.get(), POLLIN, 0};
  return ::poll(&poll, 1, 0) > 0;
}

}  // namespace strata::bench
