#include "runtime/bundle/foreground.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "runtime/container/terminal.h"

namespace strata::bundle {
namespace {

int exit_status(int pidfd) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) < 0 && errno == EINTR) {
  }
  constexpr int kSignalled = 128;
  return info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
}

// A terminal of the container's on ours.
class TerminalRelay {
 public:
  explicit TerminalRelay(UniqueFd master)
      : master_(std::move(master)), raw_(STDIN_FILENO), output_(STDOUT_FILENO) {
    ::fcntl(master_.get(), F_SETFL, O_NONBLOCK);
    auto size = container::terminal_size(STDIN_FILENO);
    if (!size) size = container::terminal_size(STDOUT_FILENO);
    if (size) ::ioctl(master_.get(), TIOCSWINSZ, &*size);
    input_.emplace(STDIN_FILENO, UniqueFd(::fcntl(master_.get(), F_DUPFD_CLOEXEC, 0)));
  }

  [[nodiscard]] int master() const { return master_.get(); }
  [[nodiscard]] container::InputRelay& input() { return *input_; }
  [[nodiscard]] pollfd wanted() const {
    return output_.idle() ? pollfd{open_ ? master_.get() : -1, POLLIN, 0} : output_.wanted();
  }
  Result<void> handle(short events) {
    if (events == 0) return {};
    if (output_.idle()) read_some();
    return output_.handle(POLLOUT);
  }
  // What is there when the process has ended.
  Result<void> finish() {
    while (output_.idle() && read_some()) STRATA_CHECK(output_.handle(POLLOUT));
    return {};
  }

 private:
  bool read_some() {
    std::array<char, 16384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const ssize_t n = ::read(master_.get(), buffer.data(), buffer.size());
    if (n > 0) output_.add({buffer.data(), static_cast<size_t>(n)});
    if (n <= 0 && errno != EAGAIN && errno != EINTR) open_ = false;
    return n > 0;
  }

  UniqueFd master_;
  container::RawTerminal raw_;
  container::OutputRelay output_;
  std::optional<container::InputRelay> input_;
  bool open_ = true;
};

}  // namespace

Result<int> stay_with(linux::Launched& launched, container::SignalRelay& signals) {
  std::optional<TerminalRelay> terminal;
  if (launched.console()) terminal.emplace(std::move(launched.console()));
  for (;;) {
    std::array<pollfd, 4> fds{{signals.wanted(),
                               {launched.pidfd(), POLLIN, 0},
                               terminal ? terminal->input().wanted() : pollfd{-1, 0, 0},
                               terminal ? terminal->wanted() : pollfd{-1, 0, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[0].revents != 0) signals.handle(launched.pidfd(), terminal ? terminal->master() : -1);
    if (terminal) {
      terminal->input().handle(fds[2].revents);
      STRATA_CHECK(terminal->handle(fds[3].revents));
    }
    if (fds[1].revents == 0) continue;
    if (terminal) STRATA_CHECK(terminal->finish());
    return exit_status(launched.pidfd());
  }
}

}  // namespace strata::bundle
