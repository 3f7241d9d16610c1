#include "runtime/vm/qemu_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <utility>

#include "runtime/linux/sys.h"
#include "runtime/vm/qemu.h"
#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"

namespace strata::vm {
namespace {

struct Pair {
  UniqueFd ours, theirs;
};

Result<Pair> make_socket() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) < 0)
    return fail_errno("make a socket");
  Pair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  ::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);
  return pair;
}

Result<Pair> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) < 0) return fail_errno("make a pipe");
  Pair pair{UniqueFd(fds[0]), UniqueFd(fds[1])};
  ::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);
  return pair;
}

// What the child needs, made before fork(2): it must not allocate.
struct Plan {
  pid_t parent;
  const char* program;
  std::vector<char*> argv;
  std::array<int, kInitramfsFd + 1> fds;  // for 0, 1, 2, …
};

[[noreturn]] void become_qemu(const Plan& plan) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent) ::_exit(1);
  // Signals of the terminal are for us; QEMU ends when we do.
  (void)::setpgid(0, 0);
  // First out of the way of the numbers that they are to have.
  constexpr int kAway = 64;
  for (int i = 0; i <= kInitramfsFd; ++i)
    if (::dup3(plan.fds[static_cast<size_t>(i)], kAway + i, O_CLOEXEC) < 0) ::_exit(1);
  for (int i = 0; i <= kInitramfsFd; ++i)
    if (::dup2(kAway + i, i) < 0) ::_exit(1);
  (void)::close_range(kInitramfsFd + 1, ~0U, CLOSE_RANGE_UNSHARE);
  struct sigaction defaults {};
  defaults.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD})
    (void)::sigaction(signal, &defaults, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(plan.program, plan.argv.data());
  ::_exit(1);
}

}  // namespace

Result<QemuProcess> QemuProcess::start(const std::vector<std::string>& argv,
                                       const UniqueFd& initramfs) {
  const auto program = find_program(argv.front());
  if (!program)
    return fail(ENOENT, argv.front() + " is not here: install the package qemu-system-x86");
  STRATA_TRY(Pair channel, make_socket());
  STRATA_TRY(Pair console, make_socket());
  STRATA_TRY(Pair messages, make_pipe());
  STRATA_TRY(const UniqueFd null, open_file("/dev/null", O_RDONLY));

  Plan plan{::getpid(),
            program->c_str(),
            {},
            {null.get(), messages.theirs.get(), messages.theirs.get(), channel.theirs.get(),
             console.theirs.get(), initramfs.get()}};
  for (const auto& argument : argv) plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);

  QemuProcess process;
  process.pid_ = ::fork();
  if (process.pid_ < 0) return fail_errno("start " + *program);
  if (process.pid_ == 0) become_qemu(plan);
  process.pidfd_.reset(linux::sys::pidfd_open(process.pid_));
  if (!process.pidfd_) return fail_errno("watch " + *program);
  process.channel_ = std::move(channel.ours);
  process.console_ = std::move(console.ours);
  process.messages_ = std::move(messages.ours);
  return process;
}

QemuProcess::QemuProcess(QemuProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      channel_(std::move(other.channel_)),
      console_(std::move(other.console_)),
      messages_(std::move(other.messages_)) {}

QemuProcess::~QemuProcess() {
  if (pid_ < 0) return;
  kill();
  wait();
}

void QemuProcess::kill() {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

int QemuProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace strata::vm
