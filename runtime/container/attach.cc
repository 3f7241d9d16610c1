#include "runtime/container/attach.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "runtime/container/channel.h"
#include "runtime/container/terminal.h"
#include "unionfs/base/terminal.h"

namespace strata::container {
namespace {

// From the log to our standard streams, in the log's order.
class LogRelay {
 public:
  LogRelay(LogReader& log, bool timestamps) : log_(log), timestamps_(timestamps) {}

  // Whether all that was in the log is written. Call handle() until then.
  [[nodiscard]] bool idle() const { return current_ == nullptr && at_end_; }
  void look_again() { at_end_ = false; }

  // Takes the next records as long as they go to the same stream.
  [[nodiscard]] Result<void> fill() {
    constexpr size_t kRecords = 64;
    for (size_t i = 0; i < kRecords && current_ == nullptr && !at_end_; ++i)
      STRATA_CHECK(take_record());
    return {};
  }

  [[nodiscard]] pollfd wanted() const {
    return current_ != nullptr ? current_->wanted() : pollfd{-1, 0, 0};
  }

  [[nodiscard]] Result<void> handle(short events) {
    if (current_ == nullptr) return {};
    STRATA_CHECK(current_->handle(events));
    if (current_->idle()) current_ = nullptr;
    return {};
  }

 private:
  Result<void> take_record() {
    STRATA_TRY(auto record, log_.next());
    if (!record) {
      at_end_ = true;
      return {};
    }
    current_ = record->stream == Stream::kOut ? &out_ : &err_;
    bool& at_line_start = line_start_[static_cast<size_t>(record->stream)];
    if (timestamps_ && at_line_start) current_->add(record->time + " ");
    at_line_start = record->text.ends_with('\n');
    current_->add(record->text);
    return {};
  }

  LogReader& log_;
  bool timestamps_;
  bool at_end_ = false;
  std::array<bool, 2> line_start_{true, true};
  OutputRelay out_{STDOUT_FILENO};
  OutputRelay err_{STDERR_FILENO};
  OutputRelay* current_ = nullptr;  // the one that has something to write
};

Error monitor_died() {
  return {ECONNRESET, "the container's monitor was killed: nobody knows how the command ended"};
}

// The way out when the command heeds nothing.
class LastResort {
 public:
  void look_at(const SignalRelay& signals, int pidfd, bool raw) {
    constexpr int kWarn = 2;
    const int before = seen_;
    seen_ = signals.interruptions();
    // A raw terminal passes Ctrl-C as a key: nobody presses it for us.
    if (before < kWarn && seen_ >= kWarn && !raw)
      print_warning("strata", "the command goes on; press Ctrl-C again to kill it");
    if (before <= kWarn && seen_ > kWarn)
      ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  }

 private:
  int seen_ = 0;
};

}  // namespace

Result<Ending> attach(Connection& connection, Running running, SignalRelay& signals,
                      const AttachOptions& options) {
  std::optional<RawTerminal> raw;
  UniqueFd terminal;
  if (options.terminal && running.input) {
    terminal.reset(::fcntl(running.input.get(), F_DUPFD_CLOEXEC, 0));
    if (options.input) raw.emplace(STDIN_FILENO);
  }
  InputRelay input(STDIN_FILENO, options.input ? std::move(running.input) : UniqueFd());
  running.input.reset();
  LogRelay output(connection.log, false);
  LastResort last_resort;
  std::optional<Ending> ending;
  bool connected = true;
  for (;;) {
    STRATA_CHECK(output.fill());
    if (!connected && output.idle()) break;
    std::array<pollfd, 4> fds{{signals.wanted(),
                               input.wanted(),
                               output.wanted(),
                               {connected ? connection.channel.get() : -1, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[0].revents != 0) signals.handle(running.pidfd.get(), terminal.get());
    last_resort.look_at(signals, running.pidfd.get(), raw.has_value());
    input.handle(fds[1].revents);
    const auto written = output.handle(fds[2].revents);
    if (signals.hung_up() || (raw && input.at_end()) || (terminal && is_hang_up(written))) {
      hang_up(terminal.get());
      return Ending{.status = kSignalled + SIGHUP, .touch = Ending::Touch::kHungUp, .problem = {}};
    }
    if (!written) return Ending{kRuntimeFailed, Ending::Touch::kOutputLost, written.error().what};
    if (fds[3].revents == 0) continue;
    STRATA_TRY(auto message, receive_message(connection.channel.get()));
    output.look_again();
    if (message && message->kind == Message::Kind::kExited)
      ending = Ending{.status = message->status, .problem = std::move(message->text)};
    connected = message && !ending;
  }
  if (!ending) return std::unexpected(monitor_died());
  return *std::move(ending);
}

Result<void> show_log(LogReader& log, std::optional<UniqueFd> channel,
                      const FollowOptions& options) {
  LogRelay output(log, options.timestamps);
  for (;;) {
    STRATA_CHECK(output.fill());
    if (!channel && output.idle()) return {};
    std::array<pollfd, 2> fds{{output.wanted(), {channel ? channel->get() : -1, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    STRATA_CHECK(output.handle(fds[0].revents));
    if (fds[1].revents == 0) continue;
    STRATA_TRY(const auto message, receive_message(channel->get()));
    output.look_again();
    if (!message || message->kind == Message::Kind::kExited) channel.reset();
  }
}

}  // namespace strata::container
