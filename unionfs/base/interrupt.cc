#include "unionfs/base/interrupt.h"

#include <sys/signalfd.h>

#include <array>

namespace strata {
namespace {

constexpr std::array kSignals{SIGTERM, SIGINT, SIGHUP};  // the most urgent first

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Result<Interrupt> Interrupt::watch() {
  sigset_t signals;
  sigset_t previous;
  ::sigemptyset(&signals);
  for (const int signal : kSignals)
    if (signal != SIGHUP || !is_ignored(signal)) ::sigaddset(&signals, signal);
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

int Interrupt::signal() const {
  // What the descriptor would give, without taking it: it stays readable for everybody.
  sigset_t pending;
  if (::sigpending(&pending) < 0) return 0;
  for (const int signal : kSignals)
    if (::sigismember(&pending, signal) == 1) return signal;
  return 0;
}

}  // namespace strata
