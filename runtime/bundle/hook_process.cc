#include "runtime/bundle/hook_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <optional>

#include "runtime/bundle/exec.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kKeptOutput = 4096;

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) return fail_errno("create a pipe");
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// The namespaces of a container that is being made, and the root directory that its process has:
// setns(2) alone would lead to what is mounted over it, which is the container's root already.
struct Entrance {
  UniqueFd process, root;

  static Result<Entrance> of(pid_t pid) {
    Entrance entrance;
    if (pid == 0) return entrance;
    entrance.process.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    const std::string root = "/proc/" + std::to_string(pid) + "/root";
    entrance.root.reset(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!entrance.process || !entrance.root) return fail_errno("open " + root);
    return entrance;
  }

  // In the child.
  [[nodiscard]] bool enter() const {
    if (!process) return true;
    constexpr int kNamespaces =
        CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    return ::setns(process.get(), kNamespaces) == 0 && ::fchdir(root.get()) == 0 &&
           ::chroot(".") == 0 && ::chdir("/") == 0;
  }
};

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// Standard input, output and error of the hook, and a pipe that tells errno if it can't be run.
struct Pipes {
  Pipe in, out, err, fault;

  static Result<Pipes> make() {
    Pipes pipes;
    STRATA_TRY(pipes.in, make_pipe());
    STRATA_TRY(pipes.out, make_pipe());
    STRATA_TRY(pipes.err, make_pipe());
    STRATA_TRY(pipes.fault, make_pipe());
    return pipes;
  }
};

[[noreturn]] void become(const oci::Hook& hook, const std::vector<char*>& argv,
                         const std::vector<char*>& envp, const Pipes& pipes,
                         const Entrance& entrance) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);  // so that all it starts can be killed with it
  constexpr unsigned kFirstAfterStreams = 3;
  if (::dup2(pipes.in.read.get(), STDIN_FILENO) >= 0 &&
      ::dup2(pipes.out.write.get(), STDOUT_FILENO) >= 0 &&
      ::dup2(pipes.err.write.get(), STDERR_FILENO) >= 0 && entrance.enter()) {
    // What our own starter left open is not for hooks.
    ::syscall(SYS_close_range, kFirstAfterStreams, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execve(hook.path.c_str(), argv.data(), envp.data());
  }
  const int code = errno;
  [[maybe_unused]] const auto told = ::write(pipes.fault.write.get(), &code, sizeof code);
  ::_exit(127);
}

// Feeds and drains the hook until it has closed its output or its time is over.
class Conversation {
 public:
  Conversation(Pipes& pipes, std::string_view input, std::optional<int> timeout)
      : pipes_(pipes), input_(input) {
    if (timeout) deadline_ = Clock::now() + std::chrono::seconds(*timeout);
    for (const auto* fd : {&pipes.in.write, &pipes.out.read, &pipes.err.read})
      ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
  }

  // False: its time is over.
  bool run(int pidfd, HookEnd& end) {
    for (;;) {
      std::array<pollfd, 4> fds{{{pipes_.in.write.get(), POLLOUT, 0},
                                 {pipes_.out.read.get(), POLLIN, 0},
                                 {pipes_.err.read.get(), POLLIN, 0},
                                 {pidfd, POLLIN, 0}}};
      const int n = ::poll(fds.data(), fds.size(), milliseconds_left());
      if (n == 0) return false;
      if (n < 0) continue;  // EINTR
      if (fds[0].revents != 0) feed();
      if (fds[1].revents != 0) drain(pipes_.out.read, end.out);
      if (fds[2].revents != 0) drain(pipes_.err.read, end.err);
      if (fds[3].revents == 0) continue;
      // What it left behind may hold its streams open for ever: what is there is enough.
      drain(pipes_.out.read, end.out);
      drain(pipes_.err.read, end.err);
      return true;
    }
  }

 private:
  [[nodiscard]] int milliseconds_left() const {
    if (!deadline_) return -1;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - Clock::now());
    return left.count() < 0 ? 0 : static_cast<int>(left.count()) + 1;
  }

  void feed() {
    const ssize_t n = ::write(pipes_.in.write.get(), input_.data(), input_.size());
    if (n > 0) input_.remove_prefix(static_cast<size_t>(n));
    // A hook need not read: then SIGPIPE, which is ignored meanwhile, or EPIPE.
    if (input_.empty() || (n < 0 && errno != EAGAIN && errno != EINTR)) pipes_.in.write.reset();
  }

  static void drain(UniqueFd& fd, std::string& to) {
    std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    while (fd) {
      const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return;
      if (n <= 0) fd.reset();
      if (n > 0 && to.size() < kKeptOutput) to.append(buffer.data(), static_cast<size_t>(n));
    }
  }

  Pipes& pipes_;
  std::string_view input_;
  std::optional<Clock::time_point> deadline_;
};

class IgnoredBrokenPipe {
 public:
  IgnoredBrokenPipe() : before_(::signal(SIGPIPE, SIG_IGN)) {}
  IgnoredBrokenPipe(const IgnoredBrokenPipe&) = delete;
  IgnoredBrokenPipe& operator=(const IgnoredBrokenPipe&) = delete;
  ~IgnoredBrokenPipe() { ::signal(SIGPIPE, before_); }

 private:
  sighandler_t before_;
};

std::string failure_of(const siginfo_t& info) {
  if (info.si_code != CLD_EXITED) return "killed by signal " + std::to_string(info.si_status);
  return info.si_status == 0 ? "" : "exit status " + std::to_string(info.si_status);
}

// A process that runs a hook, to be ended with it.
struct HookProcess {
  pid_t pid = -1;
  UniqueFd pidfd;
};

std::vector<std::string> arguments_of(const oci::Hook& hook) {
  return hook.args.empty() ? std::vector<std::string>{hook.path} : hook.args;
}

// On the host's side, with all that we may do.
Result<HookProcess> start_outside(const oci::Hook& hook, const Pipes& pipes, pid_t process) {
  STRATA_TRY(const auto entrance, Entrance::of(process));
  const auto args = arguments_of(hook);
  const auto argv = pointers_to(args);
  const auto envp = pointers_to(hook.env);
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("start a process");
  if (pid == 0) become(hook, argv, envp, pipes, entrance);
  return HookProcess{pid, UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)))};
}

Result<HookProcess> start_inside(const oci::Hook& hook, const Pipes& pipes,
                                 const Container& container) {
  STRATA_TRY(auto spec, container.spec());
  spec.process.args = arguments_of(hook);
  spec.process.env = hook.env;
  spec.process.terminal = false;
  STRATA_TRY(
      auto launched,
      launch_in(container, spec, spec.process,
                {.program = hook.path,
                 .stdio = {pipes.in.read.get(), pipes.out.write.get(), pipes.err.write.get()}}));
  STRATA_CHECK(launched.start());
  return HookProcess{launched.pid(), UniqueFd(::fcntl(launched.pidfd(), F_DUPFD_CLOEXEC, 0))};
}

}  // namespace

Result<HookEnd> run_hook(const oci::Hook& hook, const std::string& state, HookPlace place) {
  STRATA_TRY(auto pipes, Pipes::make());
  auto started = place.inside != nullptr ? start_inside(hook, pipes, *place.inside)
                                         : start_outside(hook, pipes, place.process);
  if (!started) return fail_in("run " + hook.path, std::move(started).error());
  const auto& [pid, pidfd] = *started;
  pipes.in.read.reset();
  pipes.out.write.reset();
  pipes.err.write.reset();
  pipes.fault.write.reset();

  HookEnd end;
  const IgnoredBrokenPipe ignored;
  const bool in_time = Conversation(pipes, state, hook.timeout).run(pidfd.get(), end);
  if (!in_time) {
    ::kill(-pid, SIGKILL);
    ::kill(pid, SIGKILL);  // it may have left its group
  }
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) < 0 && errno == EINTR) {
  }
  int code = 0;
  if (::read(pipes.fault.read.get(), &code, sizeof code) == sizeof code)
    return fail_errno("run " + hook.path, code);
  end.failure = in_time ? failure_of(info) : "timed out";
  return end;
}

}  // namespace strata::bundle
