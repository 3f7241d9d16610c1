#include "runtime/container/relay.h"

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "runtime/container/terminal.h"

namespace strata::container {
namespace {

// What people and supervisors send to a program that runs in the foreground. Job control stays
// ours.
constexpr std::array kForwarded{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};

// The signal of a write to the command's input, while it is blocked: it would end us once it is
// not. Writing to our own streams leaves it pending, and that is meant.
void discard_sigpipe() {
  sigset_t pipe_signal;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  const timespec no_wait{};
  ::sigtimedwait(&pipe_signal, nullptr, &no_wait);
}

}  // namespace

Result<SignalRelay> SignalRelay::open() {
  SignalRelay relay;
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int signal : kForwarded) ::sigaddset(&wanted, signal);
  ::sigaddset(&wanted, SIGWINCH);
  relay.fd_.reset(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!relay.fd_) return fail_errno("create a signal descriptor");
  ::sigaddset(&wanted, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &wanted, &relay.previous_);
  return relay;
}

SignalRelay::SignalRelay(SignalRelay&& other) noexcept
    : fd_(std::move(other.fd_)),
      interruptions_(other.interruptions_),
      hung_up_(other.hung_up_),
      previous_(other.previous_) {}

SignalRelay::~SignalRelay() {
  if (fd_) ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

void SignalRelay::handle(int pidfd, int terminal) {
  signalfd_siginfo info{};
  while (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGINT || signal == SIGTERM) ++interruptions_;
    if (signal == SIGHUP && terminal >= 0) {
      hung_up_ = true;
    } else if (signal != SIGWINCH) {
      ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0);
    } else if (terminal >= 0) {
      auto size = terminal_size(STDIN_FILENO);
      if (!size) size = terminal_size(STDOUT_FILENO);
      if (size) ::ioctl(terminal, TIOCSWINSZ, &*size);
    }
  }
}

pollfd InputRelay::wanted() const {
  if (!to_) return {-1, 0, 0};
  // With nothing to write, only whether the reader has gone is of interest on that side.
  if (!pending_.empty()) return {to_.get(), POLLOUT, 0};
  return {from_, POLLIN, 0};
}

void InputRelay::handle(short events) {
  if (events == 0 || !to_) return;
  if (pending_.empty()) {
    std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const ssize_t n = ::read(from_, buffer.data(), buffer.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) {
      at_end_ = true;
      to_.reset();
      return;
    }
    pending_.assign(buffer.data(), static_cast<size_t>(n));
  }
  const ssize_t n = ::write(to_.get(), pending_.data(), pending_.size());
  if (n > 0) {
    pending_.erase(0, static_cast<size_t>(n));
  } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
    if (errno == EPIPE) discard_sigpipe();
    to_.reset();  // the program has closed its standard input
  }
}

bool is_hang_up(const Result<void>& written) {
  return !written && written.error().code == EIO;
}

Result<void> OutputRelay::handle(short events) {
  if (events == 0 || idle()) return {};
  // So much a pipe takes without making us wait, once poll(2) says that it can be written to.
  const size_t portion = std::min<size_t>(pending_.size(), PIPE_BUF);
  const ssize_t n = ::write(to_, pending_.data(), portion);
  if (n < 0) {
    if (errno == EINTR || errno == EAGAIN) return {};
    return fail_errno(to_ == STDERR_FILENO ? "write standard error" : "write standard output");
  }
  pending_.erase(0, static_cast<size_t>(n));
  return {};
}

}  // namespace strata::container
