// One guest's life: QEMU as a child, its pipes relayed, its end understood.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "runtime/vm/initramfs.h"
#include "runtime/vm/qemu.h"
#include "unionfs/base/stream.h"
#include "unionfs/base/subprocess.h"
#include "unionfs/base/unique_fd.h"

namespace strata::vm {
namespace {

using Clock = std::chrono::steady_clock;

// QEMU, killed and reaped on destruction. It dies with us, too, whatever kills us.
class Qemu {
 public:
  static Result<Qemu> start(const std::vector<std::string>& line) {
    std::vector<char*> argv;
    argv.reserve(line.size() + 1);
    for (const auto& word : line) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return fail_errno("start QEMU");
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(127);
      const int null = ::open("/dev/null", O_RDWR);
      ::dup2(null, STDIN_FILENO);
      ::dup2(null, STDOUT_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    Qemu qemu(pid);
    qemu.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    return qemu;
  }
  Qemu(Qemu&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}
  Qemu& operator=(Qemu&&) = delete;
  ~Qemu() { end(); }

  void end() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
  }
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }

 private:
  explicit Qemu(pid_t pid) : pid_(pid) {}
  pid_t pid_;
  UniqueFd pidfd_;
};

struct Pipe {
  UniqueFd read, write;
};

// The writing end is inherited; the number of ours is not.
Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) < 0) return fail_errno("create a pipe");
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  ::fcntl(pipe.write.get(), F_SETFD, 0);
  return pipe;
}

class Guest {
 public:
  explicit Guest(const Request& request) : request_(request) {}

  Result<Report> run() {
    STRATA_CHECK(start());
    while (relay()) {
    }
    qemu_->end();
    report_.total = Clock::now() - started_;
    if (timed_out_)
      return fail(ETIMEDOUT, "the guest did not end in time and was stopped" + console_tail());
    const auto [rest, error] = std::from_chars(
        status_text_.data(), status_text_.data() + status_text_.size(), report_.exit_status);
    if (error != std::errc())
      return fail(EIO, "the guest ended without running the command" + console_tail());
    return std::move(report_);
  }

 private:
  Result<void> start() {
    const auto program = find_program("qemu-system-x86_64");
    if (!program)
      return fail(ENOENT, "qemu-system-x86_64 is not installed (Debian package qemu-system-x86)");
    const auto init = find_own_program("strata-vm-init");
    if (!init) return fail(ENOENT, "strata-vm-init was not found beside strata-vm");
    STRATA_TRY(UniqueFd initramfs, make_initramfs(request_, *init));
    STRATA_TRY(out_, make_pipe());
    STRATA_TRY(err_, make_pipe());
    STRATA_TRY(status_, make_pipe());
    console_.reset(::memfd_create("console", 0));
    // QEMU's file backends want a descriptor opened for writing only.
    const UniqueFd console_out(
        ::open(("/proc/self/fd/" + std::to_string(console_.get())).c_str(), O_WRONLY));
    if (!console_ || !console_out) return fail_errno("create an anonymous file");
    report_.qemu = qemu_command_line(request_, *program,
                                     {.initramfs = initramfs.get(),
                                      .out = out_.write.get(),
                                      .err = err_.write.get(),
                                      .status = status_.write.get(),
                                      .console = console_out.get()});
    started_ = Clock::now();
    STRATA_TRY(Qemu qemu, Qemu::start(report_.qemu));
    qemu_.emplace(std::move(qemu));
    for (auto* pipe : {&out_, &err_, &status_}) pipe->write.reset();
    return {};
  }

  // False when QEMU has ended and nothing is left to read, or time is up.
  bool relay() {
    std::array<pollfd, 4> fds{{{out_.read ? out_.read.get() : -1, POLLIN, 0},
                               {err_.read ? err_.read.get() : -1, POLLIN, 0},
                               {status_.read ? status_.read.get() : -1, POLLIN, 0},
                               {qemu_->pidfd(), POLLIN, 0}}};
    int wait_ms = -1;
    if (request_.timeout) {
      const auto left = *request_.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(
                                                Clock::now() - started_);
      wait_ms = static_cast<int>(std::max<int64_t>(0, left.count()));
    }
    const int ready = ::poll(fds.data(), fds.size(), wait_ms);
    if (ready < 0) return true;
    timed_out_ = ready == 0;
    if (timed_out_) return false;
    if (fds[0].revents != 0) copy(out_.read, STDOUT_FILENO);
    if (fds[1].revents != 0) copy(err_.read, STDERR_FILENO);
    if (fds[2].revents != 0) read_status();
    return fds[3].revents == 0 || (fds[0].revents | fds[1].revents | fds[2].revents) != 0;
  }

  void copy(UniqueFd& from, int to) {
    std::array<std::byte, 65536> buffer;
    const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
    if (n <= 0) {
      if (n == 0 || errno != EINTR) from.reset();
      return;
    }
    if (report_.first_output.count() == 0) report_.first_output = Clock::now() - started_;
    if (request_.discard_output) return;
    FdSink sink(to, "our output");
    if (!sink.write(std::span(buffer).first(static_cast<size_t>(n)))) from.reset();
  }

  void read_status() {
    std::array<char, 64> buffer;
    const ssize_t n = ::read(status_.read.get(), buffer.data(), buffer.size());
    if (n > 0) status_text_.append(buffer.data(), static_cast<size_t>(n));
    if (n == 0) status_.read.reset();
  }

  std::string console_tail() const {
    constexpr off_t kTail = 1500;
    const off_t size = ::lseek(console_.get(), 0, SEEK_END);
    std::string text(static_cast<size_t>(std::min(size, kTail)), '\0');
    const ssize_t n =
        ::pread(console_.get(), text.data(), text.size(), std::max<off_t>(0, size - kTail));
    text.resize(static_cast<size_t>(std::max<ssize_t>(n, 0)));
    return text.empty() ? "" : "; the end of its console:\n" + text;
  }

  const Request& request_;
  Report report_;
  Clock::time_point started_;
  std::optional<Qemu> qemu_;
  Pipe out_, err_, status_;
  UniqueFd console_;
  std::string status_text_;
  bool timed_out_ = false;
};

}  // namespace

Result<Report> run(const Request& request) {
  return Guest(request).run();
}

}  // namespace strata::vm
