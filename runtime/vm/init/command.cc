// The command: a child with pipes for streams (as in a container: they can be opened again through
// /proc/self/fd, which the port could not), and a loop that carries bytes between them and the
// channel.

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) < 0) fail(kOurFailure, {"make a pipe"}, errno);
  return {fds[0], fds[1]};
}

// What the child tells through its own pipe when it doesn't get as far as the command; nothing, if
// execve(2) succeeds.
struct Failure {
  int error;
  char step[32];
};

[[noreturn]] void report(int to, const char* step, int error) {
  Failure failure{error, {}};
  std::strncpy(failure.step, step, sizeof failure.step - 1);
  (void)!::write(to, &failure, sizeof failure);
  ::_exit(1);
}

const char* variable(char** environment, std::string_view name) {
  for (; *environment != nullptr; ++environment) {
    const std::string_view entry = *environment;
    if (entry.starts_with(name) && entry.size() > name.size() && entry[name.size()] == '=')
      return *environment + name.size() + 1;
  }
  return nullptr;
}

void make_directories(std::string_view path) {
  char* const part = copy_string(path);
  for (char* slash = std::strchr(part + 1, '/'); slash != nullptr;
       slash = std::strchr(slash + 1, '/')) {
    *slash = '\0';
    (void)::mkdir(part, 0755);
    *slash = '/';
  }
  (void)::mkdir(part, 0755);
}

[[noreturn]] void become_command(const Config& config, const User& user, int failure) {
  (void)::setsid();
  // Docker makes a working directory that isn't there.
  if (::chdir(config.directory) < 0) {
    make_directories(config.directory);
    if (::chdir(config.directory) < 0) report(failure, "working directory", errno);
  }
  if (::setgroups(user.group_count, user.groups) < 0 || ::setgid(user.gid) < 0 ||
      ::setuid(user.uid) < 0)
    report(failure, "become the user", errno);
  if (const char* path = variable(config.environment, "PATH")) (void)::setenv("PATH", path, 1);
  struct sigaction defaults {};
  defaults.sa_handler = SIG_DFL;
  for (const int signal : {SIGPIPE, SIGCHLD}) (void)::sigaction(signal, &defaults, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvpe(config.arguments[0], config.arguments, config.environment);
  report(failure, "", errno);
}

char* home_variable(std::string_view home) {
  constexpr std::string_view kName = "HOME=";
  auto* text = static_cast<char*>(allocate(kName.size() + home.size() + 1));
  std::memcpy(text, kName.data(), kName.size());
  std::memcpy(text + kName.size(), home.data(), home.size());
  return text;
}

struct Child {
  pid_t pid = -1;
  int in = -1;
  int out = -1;
  int err = -1;
};

[[noreturn]] void fail_to_start(const Config& config, const Failure& failure) {
  const std::string_view step = failure.step;
  if (!step.empty()) fail(kOurFailure, {step}, failure.error);
  const bool missing = failure.error == ENOENT || failure.error == ENOTDIR;
  fail(missing ? kNotFound : kCannotExecute, {"run ", config.arguments[0]}, failure.error);
}

Child start(const Config& config) {
  const User user = resolve_user(config.user);
  // HOME is what the image or the user says, else the home directory in /etc/passwd.
  Config with_home = config;
  if (variable(config.environment, "HOME") == nullptr) {
    size_t count = 0;
    while (config.environment[count] != nullptr) ++count;
    with_home.environment = static_cast<char**>(allocate((count + 2) * sizeof(char*)));
    for (size_t i = 0; i < count; ++i) with_home.environment[i] = config.environment[i];
    with_home.environment[count] = home_variable(user.home);
  }
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  const Pipe failed = make_pipe();
  const pid_t pid = ::fork();
  if (pid < 0) fail(kOurFailure, {"start the command"}, errno);
  if (pid == 0) {
    (void)::dup2(in.read, STDIN_FILENO);
    (void)::dup2(out.write, STDOUT_FILENO);
    (void)::dup2(err.write, STDERR_FILENO);
    // The user may open its own streams again through /proc/self/fd.
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) (void)::fchown(fd, user.uid, user.gid);
    become_command(with_home, user, failed.write);
  }
  for (const int fd : {in.read, out.write, err.write, failed.write}) ::close(fd);
  Failure failure{};
  if (::read(failed.read, &failure, sizeof failure) == sizeof failure)
    fail_to_start(config, failure);
  ::close(failed.read);
  return {pid, in.write, out.read, err.read};
}

// Sends what the pipe holds; false once it is at its end or, if it must not wait, empty.
bool forward_output(int& pipe, FrameType type) {
  static char chunk[kMaxChunk];
  const ssize_t n = ::read(pipe, chunk, sizeof chunk);
  if (n > 0) {
    send_frame(type, {chunk, static_cast<size_t>(n)});
    return true;
  }
  if (n == 0) {
    ::close(pipe);
    pipe = -1;
  }
  return false;
}

// Standard input on its way: one frame at a time, so that a command that doesn't read stops the
// host and nothing is heaped up here.
class Input {
 public:
  explicit Input(int pipe) : pipe_(pipe) { (void)::fcntl(pipe, F_SETFL, O_NONBLOCK); }

  [[nodiscard]] bool wants_frame() const { return pipe_ >= 0 && left_ == 0; }
  [[nodiscard]] int pipe() const { return left_ > 0 ? pipe_ : -1; }

  void take_frame() {
    const FrameHeader header = receive_header();
    if (header.type != FrameType::kStdin || header.size > sizeof chunk_)
      fail(kOurFailure, {"the host sent what this guest does not understand"});
    if (header.size == 0) return close();
    receive(chunk_, header.size);
    at_ = chunk_;
    left_ = header.size;
    feed();
  }

  void feed() {
    const ssize_t n = ::write(pipe_, at_, left_);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return close();
    if (n <= 0) return;
    at_ += n;
    left_ -= static_cast<size_t>(n);
  }

 private:
  void close() {
    ::close(pipe_);
    pipe_ = -1;
    left_ = 0;
  }

  int pipe_;
  char* at_ = nullptr;
  size_t left_ = 0;
  char chunk_[kMaxChunk];
};

// Reaps all that ended; whether the command is among them, with its status as a shell gives it.
bool reap(pid_t command, uint32_t& result) {
  bool ended = false;
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != command) continue;
    ended = true;
    result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return ended;
}

// Until the command ends. What it left behind in the background doesn't keep the guest up.
uint32_t relay(Child& child, int children) {
  static Input input(child.in);
  for (;;) {
    pollfd fds[] = {{children, POLLIN, 0},
                    {child.out, POLLIN, 0},
                    {child.err, POLLIN, 0},
                    {input.wants_frame() ? channel_fd() : -1, POLLIN, 0},
                    {input.pipe(), POLLOUT, 0}};
    if (::poll(fds, sizeof fds / sizeof fds[0], -1) < 0) continue;
    if (fds[1].revents != 0) (void)forward_output(child.out, FrameType::kStdout);
    if (fds[2].revents != 0) (void)forward_output(child.err, FrameType::kStderr);
    if ((fds[3].revents & POLLIN) != 0) input.take_frame();
    if (fds[4].revents != 0) input.feed();
    if (fds[0].revents != 0) {
      signalfd_siginfo info;
      (void)!::read(children, &info, sizeof info);
      uint32_t status = 0;
      if (reap(child.pid, status)) return status;
    }
  }
}

}  // namespace

void run_command(const Config& config) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  (void)::sigprocmask(SIG_BLOCK, &signals, nullptr);
  (void)::signal(SIGPIPE, SIG_IGN);
  const int children = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);

  Child child = start(config);
  send_frame(FrameType::kStarted, {});
  const uint32_t status = relay(child, children);
  for (int* pipe : {&child.out, &child.err}) {
    if (*pipe < 0) continue;
    (void)::fcntl(*pipe, F_SETFL, O_NONBLOCK);
    while (forward_output(*pipe, pipe == &child.out ? FrameType::kStdout : FrameType::kStderr)) {
    }
  }
  send_frame(FrameType::kExit, {reinterpret_cast<const char*>(&status), sizeof status});
}

}  // namespace strata::vm::guest
