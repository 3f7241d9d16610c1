#include "unionfs/base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "unionfs/base/process_tree.h"
#include "unionfs/base/unique_fd.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) < 0) return fail_errno("pipe");
  return Pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

std::vector<std::string> merged_environment(const std::vector<std::string>& extra) {
  std::vector<std::string> env;
  const auto same_name = [](const std::string& a, const std::string& b) {
    return a.substr(0, a.find('=')) == b.substr(0, b.find('='));
  };
  for (char** e = environ; e != nullptr && *e != nullptr; ++e) {
    const std::string entry = *e;
    if (std::none_of(extra.begin(), extra.end(),
                     [&](const std::string& x) { return same_name(x, entry); }))
      env.push_back(entry);
  }
  env.insert(env.end(), extra.begin(), extra.end());
  return env;
}

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct SpawnPlan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
};

// Reads once from `fd` into `text` (up to `limit`); closes it at the end of the stream.
void drain(UniqueFd& fd, std::string& text, size_t limit) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
    fd.reset();
  } else if (n > 0 && text.size() < limit) {
    text.append(buffer.data(), std::min(static_cast<size_t>(n), limit - text.size()));
  }
}

// Feeds standard input; closes it when all is written or the reader has gone.
void feed(UniqueFd& fd, std::string_view& input) {
  const ssize_t n = ::write(fd.get(), input.data(), input.size());
  if (n > 0) input.remove_prefix(static_cast<size_t>(n));
  if (input.empty() || (n < 0 && errno != EINTR && errno != EAGAIN)) fd.reset();
}

}  // namespace

Result<Completed> run_command(const Command& command) {
  STRATA_TRY(Pipe in, make_pipe());
  STRATA_TRY(Pipe out, make_pipe());
  STRATA_TRY(Pipe err, make_pipe());

  SpawnPlan plan;
  ::posix_spawn_file_actions_adddup2(&plan.actions, in.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&plan.actions, out.write.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&plan.actions, err.write.get(), STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&plan.actions, STDERR_FILENO + 1);
  if (!command.directory.empty())
    ::posix_spawn_file_actions_addchdir_np(&plan.actions, command.directory.c_str());
  sigset_t none;
  sigset_t defaults;
  ::sigemptyset(&none);
  ::sigfillset(&defaults);
  ::posix_spawnattr_setsigmask(&plan.attributes, &none);
  ::posix_spawnattr_setsigdefault(&plan.attributes, &defaults);
  ::posix_spawnattr_setpgroup(&plan.attributes, 0);
  ::posix_spawnattr_setflags(
      &plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  const auto env = merged_environment(command.env);
  const auto started = Clock::now();
  pid_t pid = -1;
  const int rc = ::posix_spawnp(&pid, command.argv.front().c_str(), &plan.actions, &plan.attributes,
                                c_strings(command.argv).data(), c_strings(env).data());
  if (rc != 0) return fail_errno("start " + command.argv.front(), rc);
  in.read.reset();
  out.write.reset();
  err.write.reset();
  ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);

  // SIGPIPE from feeding a child that does not read is kept away by blocking it for this thread.
  sigset_t pipe_signal;
  sigset_t previous;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &previous);

  Completed done;
  std::string_view input = command.input;
  if (input.empty()) in.write.reset();
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  bool exited = false;
  // Until the child is gone and its streams are closed; a grandchild that keeps a stream open is
  // given no longer than the child itself.
  while (!exited) {
    const bool killed = done.timed_out || done.stopped;
    std::array<pollfd, 5> fds{{{out.read.get(), POLLIN, 0},
                               {err.read.get(), POLLIN, 0},
                               {in.write.get(), POLLOUT, 0},
                               {pidfd.get(), POLLIN, 0},
                               {killed ? -1 : command.stop_fd, POLLIN, 0}}};
    int wait_ms = -1;
    if (command.timeout && !killed) {
      const auto left = *command.timeout - std::chrono::duration_cast<std::chrono::milliseconds>(
                                               Clock::now() - started);
      wait_ms = static_cast<int>(std::max<int64_t>(0, left.count()));
    }
    const int ready = ::poll(fds.data(), fds.size(), wait_ms);
    if (ready < 0) continue;
    if (ready == 0 || fds[4].revents != 0) {
      done.timed_out = ready == 0;
      done.stopped = ready != 0;
      kill_tree(pid);
      continue;
    }
    if (fds[0].revents != 0) drain(out.read, done.out, command.output_limit);
    if (fds[1].revents != 0) drain(err.read, done.err, command.output_limit);
    if (fds[2].revents != 0) feed(in.write, input);
    exited = fds[3].revents != 0 && (fds[0].revents | fds[1].revents) == 0;
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  done.wall = Clock::now() - started;
  const timespec no_wait{};
  while (::sigtimedwait(&pipe_signal, nullptr, &no_wait) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  done.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return done;
}

Result<Completed> run_checked(const Command& command) {
  STRATA_TRY(Completed done, run_command(command));
  if (done.stopped) return fail(EINTR, command.argv.front() + " was interrupted");
  if (done.status == 0) return done;
  std::string what = command.argv.front();
  what += done.timed_out ? " took too long and was stopped"
                         : " failed with status " + std::to_string(done.status);
  constexpr size_t kTail = 2000;
  std::string tail = done.err.substr(done.err.size() > kTail ? done.err.size() - kTail : 0);
  while (!tail.empty() && tail.back() == '\n') tail.pop_back();
  if (!tail.empty()) what += ": " + tail;
  return fail(ECHILD, std::move(what));
}

std::optional<std::string> find_program(const std::string& name) {
  const auto executable = [](const std::string& path) { return ::access(path.c_str(), X_OK) == 0; };
  if (name.find('/') != std::string::npos)
    return executable(name) ? std::optional(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (end > 0 && executable(candidate)) return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

std::optional<std::string> find_own_program(const std::string& name) {
  std::error_code ec;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ec);
  if (!ec) {
    auto beside = self.parent_path() / name;
    if (::access(beside.c_str(), X_OK) == 0) return beside.string();
  }
  return find_program(name);
}

}  // namespace strata
