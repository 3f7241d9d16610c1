#include "runtime/image/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstring>

namespace strata::image {
namespace {

volatile std::sig_atomic_t noted_signal = 0;

// Readable once a signal was noted; poll(2) on it closes the gap between looking at the flag and
// blocking. Lives as long as the process.
int wake_fd() {
  static const int fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd;
}

void note(int signal) {
  const int saved = errno;
  noted_signal = signal;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_fd(), &one, sizeof one);
  errno = saved;
}

// Until `fd` is ready for `events` or a signal was noted. Regular files are always ready.
Result<void> wait_for(int fd, short events) {
  for (;;) {
    STRATA_CHECK(check_interrupt());
    std::array<pollfd, 2> fds{{{fd, events, 0}, {wake_fd(), POLLIN, 0}}};
    const int ready = ::poll(fds.data(), fds.size(), -1);
    if (ready < 0 && errno != EINTR) return fail_errno("poll");
    if (ready > 0 && fds[0].revents != 0) return {};
  }
}

}  // namespace

InterruptGuard::InterruptGuard() {
  wake_fd();  // made here, not in the handler
  for (size_t i = 0; i < kSignals.size(); ++i) {
    struct sigaction action {};
    action.sa_handler = kSignals[i] == SIGPIPE ? SIG_IGN : note;
    ::sigaction(kSignals[i], nullptr, &old_[i]);
    // nohup(1) and background jobs of shells set some to be ignored: that stays so.
    if (old_[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

InterruptGuard::~InterruptGuard() {
  for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &old_[i], nullptr);
  if (noted_signal != 0) ::raise(noted_signal);
}

Result<void> check_interrupt() {
  if (noted_signal == 0) return {};
  return fail(EINTR, "stopped by signal SIG" + std::string(::sigabbrev_np(noted_signal)));
}

Result<size_t> InterruptibleSource::read(std::span<std::byte> buffer) {
  STRATA_CHECK(wait_for(fd_, POLLIN));
  return inner_.read(buffer);
}

Result<void> InterruptibleSink::write(std::span<const std::byte> data) {
  // A pipe takes PIPE_BUF bytes without blocking once poll(2) calls it writable; more at a time
  // could block out of reach of the wake-up.
  struct stat st {};
  const bool is_file = ::fstat(fd_, &st) == 0 && S_ISREG(st.st_mode);
  while (!data.empty()) {
    STRATA_CHECK(wait_for(fd_, POLLOUT));
    const auto part = data.first(is_file ? data.size() : std::min<size_t>(data.size(), PIPE_BUF));
    STRATA_CHECK(inner_.write(part));
    data = data.subspan(part.size());
  }
  return {};
}

}  // namespace strata::image
