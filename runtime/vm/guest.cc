#include "runtime/vm/guest.h"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "runtime/vm/frame_reader.h"
#include "runtime/vm/initramfs.h"
#include "runtime/vm/qemu_process.h"

namespace strata::vm {
namespace {

constexpr size_t kTail = 16 << 10;
// A guest that has said its last word takes no longer to be gone.
constexpr std::chrono::seconds kEndLimit{5};

int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void keep_tail(std::string& tail, std::string_view text) {
  tail.append(text);
  if (tail.size() > kTail) tail.erase(0, tail.size() - kTail);
}

// Reads once; an empty view at the end of the stream or of what is there, `fd` closed at the
// former.
std::string_view read_some(UniqueFd& fd, std::array<char, kMaxChunk>& buffer) {
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n > 0) return {buffer.data(), static_cast<size_t>(n)};
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) fd.reset();
  return {};
}

Result<void> write_all(int fd, std::string_view data, std::string_view name) {
  if (fd < 0) return {};
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n >= 0) {
      data.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      pollfd ready{fd, POLLOUT, 0};
      (void)::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return fail_errno(std::string("write ").append(name));
    }
  }
  return {};
}

bool is_readable(const UniqueFd& fd) {
  pollfd state{fd.get(), POLLIN, 0};
  return fd && ::poll(&state, 1, 0) > 0;
}

class Session {
 public:
  Session(const GuestRequest& request, QemuProcess process)
      : request_(request), process_(std::move(process)) {}

  Result<GuestResult> run(int64_t started_ns);

 private:
  // Until when the guest may be in its present state; nullopt: for ever.
  [[nodiscard]] std::optional<int64_t> deadline() const;
  // Kills a guest whose time is over; milliseconds to wait otherwise, as for poll(2).
  int enforce_deadline();
  void read_input();
  void write_channel();
  Result<void> read_channel();
  Result<void> take(const Frame& frame);
  Result<void> pass_on(const Frame& frame);
  Result<void> read_console();
  Result<void> finish();

  [[nodiscard]] bool has_spoken() const { return result_.times.command_ended_ns != 0; }

  const GuestRequest& request_;
  QemuProcess process_;
  GuestResult result_;
  FrameReader frames_;
  std::string outbox_;        // on its way to the guest
  bool wants_input_ = false;  // the command runs and its input is not at its end
  bool killed_ = false;
  std::array<char, kMaxChunk> buffer_{};
};

std::optional<int64_t> Session::deadline() const {
  using std::chrono::nanoseconds;
  const auto& times = result_.times;
  if (has_spoken()) return times.command_ended_ns + nanoseconds(kEndLimit).count();
  if (times.booted_ns == 0) return times.started_ns + nanoseconds(request_.boot_limit).count();
  if (request_.run_limit) return times.booted_ns + nanoseconds(*request_.run_limit).count();
  return std::nullopt;
}

int Session::enforce_deadline() {
  const auto until = deadline();
  if (!until || killed_) return -1;
  const int64_t left_ns = *until - now_ns();
  constexpr int64_t kMillisecond = 1'000'000;
  if (left_ns > 0) return static_cast<int>((left_ns + kMillisecond - 1) / kMillisecond);
  if (!has_spoken())
    result_.end = result_.times.booted_ns == 0 ? GuestEnd::kNoBoot : GuestEnd::kTimedOut;
  process_.kill();
  killed_ = true;
  return -1;
}

// At most one chunk is on its way, so a command that doesn't read stops whoever feeds it.
void Session::read_input() {
  const ssize_t n = ::read(request_.streams.in, buffer_.data(), buffer_.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  // An error ends the input as its end does.
  const size_t size = n > 0 ? static_cast<size_t>(n) : 0;
  if (size == 0) wants_input_ = false;
  outbox_ += encode_frame(FrameType::kStdin, {buffer_.data(), size});
}

void Session::write_channel() {
  const ssize_t n = ::send(process_.channel().get(), outbox_.data(), outbox_.size(), MSG_NOSIGNAL);
  if (n > 0) outbox_.erase(0, static_cast<size_t>(n));
  if (n < 0 && errno != EAGAIN && errno != EINTR) outbox_.clear();  // QEMU has gone
}

Result<void> Session::pass_on(const Frame& frame) {
  if (result_.times.first_output_ns == 0) result_.times.first_output_ns = now_ns();
  if (frame.type == FrameType::kStdout)
    return write_all(request_.streams.out, frame.payload, "standard output");
  return write_all(request_.streams.err, frame.payload, "standard error");
}

Result<void> Session::take(const Frame& frame) {
  auto& times = result_.times;
  switch (frame.type) {
    case FrameType::kReady:
      times.booted_ns = now_ns();
      return {};
    case FrameType::kStarted:
      times.executed_ns = now_ns();
      wants_input_ = true;
      if (request_.streams.in < 0) {
        wants_input_ = false;
        outbox_ += encode_frame(FrameType::kStdin, {});
      }
      return {};
    case FrameType::kStdout:
    case FrameType::kStderr:
      return pass_on(frame);
    case FrameType::kExit:
    case FrameType::kFailed: {
      const auto status = leading_number(frame.payload);
      if (!status) return fail(EPROTO, "the guest sent what is no message of ours");
      times.command_ended_ns = now_ns();
      wants_input_ = false;
      result_.end = frame.type == FrameType::kExit ? GuestEnd::kExited : GuestEnd::kNotRun;
      result_.status = static_cast<int>(*status);
      if (frame.type == FrameType::kFailed) result_.reason = frame.payload.substr(sizeof *status);
      return {};
    }
    case FrameType::kConfig:
    case FrameType::kStdin:
      break;
  }
  return fail(EPROTO, "the guest sent what only a host sends");
}

Result<void> Session::read_channel() {
  frames_.append(read_some(process_.channel(), buffer_));
  for (;;) {
    STRATA_TRY(const auto frame, frames_.next());
    if (!frame) return {};
    STRATA_CHECK(take(*frame));
  }
}

Result<void> Session::read_console() {
  const auto text = read_some(process_.console(), buffer_);
  keep_tail(result_.console, text);
  return write_all(request_.streams.console, text, "the guest's console");
}

// QEMU has ended: what it had still sent.
Result<void> Session::finish() {
  result_.times.exited_ns = now_ns();
  while (is_readable(process_.channel())) STRATA_CHECK(read_channel());
  while (is_readable(process_.console())) STRATA_CHECK(read_console());
  while (is_readable(process_.messages()))
    keep_tail(result_.messages, read_some(process_.messages(), buffer_));
  result_.qemu_status = process_.wait();
  return {};
}

Result<GuestResult> Session::run(int64_t started_ns) {
  result_.times.started_ns = started_ns;
  outbox_ = encode_frame(FrameType::kConfig, request_.config);
  for (bool ended = false; !ended;) {
    const int wait_ms = enforce_deadline();
    const bool reads_input = wants_input_ && outbox_.empty();
    std::array<pollfd, 5> fds{{{process_.channel().get(),
                                static_cast<short>(outbox_.empty() ? POLLIN : POLLIN | POLLOUT), 0},
                               {process_.console().get(), POLLIN, 0},
                               {process_.messages().get(), POLLIN, 0},
                               {reads_input ? request_.streams.in : -1, POLLIN, 0},
                               {process_.pidfd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), wait_ms) <= 0) continue;
    constexpr short kReadable = POLLIN | POLLHUP | POLLERR;
    if ((fds[0].revents & kReadable) != 0) STRATA_CHECK(read_channel());
    if ((fds[0].revents & POLLOUT) != 0 && process_.channel()) write_channel();
    if (fds[1].revents != 0) STRATA_CHECK(read_console());
    if (fds[2].revents != 0) keep_tail(result_.messages, read_some(process_.messages(), buffer_));
    if (fds[3].revents != 0) read_input();
    ended = fds[4].revents != 0;
  }
  STRATA_CHECK(finish());
  return std::move(result_);
}

}  // namespace

Result<GuestResult> run_guest(const GuestRequest& request) {
  if (request.config.size() > kMaxConfig)
    return fail(E2BIG, "the command's arguments and environment are longer than 4 MiB");
  const int64_t started_ns = now_ns();
  STRATA_TRY(const UniqueFd initramfs,
             make_initramfs_file(request.kernel, request.plan.hardware.machine));
  STRATA_TRY(QemuProcess process, QemuProcess::start(qemu_command_line(request.plan), initramfs));
  return Session(request, std::move(process)).run(started_ns);
}

}  // namespace strata::vm
