#include "probes/stopped_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "probes/join.h"

namespace strata::probes {
namespace {

// What the child does on the way to execve, reported to the parent: each failure, and the one
// success that it waits for.
enum class Step : int32_t { kJoined, kStreams, kDirectory, kJoin, kExec };

struct Report {
  Step step;
  int32_t error;
};

std::string_view describe(Step step) {
  switch (step) {
    case Step::kStreams:
      return "set up its standard streams";
    case Step::kDirectory:
      return "enter its working directory";
    case Step::kJoin:
      return "put it under the probe";
    case Step::kJoined:
    case Step::kExec:
      break;
  }
  return "execute it";
}

// All that the child needs, made before the fork: afterwards it may not allocate.
struct Plan {
  std::array<int, 3> stdio;
  const char* directory;  // may be null
  const char* program;
  std::vector<char*> argv;
  std::vector<char*> env;
  int join_fd;
  int go;
  int report;
};

[[noreturn]] void give_up(const Plan& plan, Step step, int error) {
  const Report report{step, error};
  // If the parent is gone there is nobody to tell.
  [[maybe_unused]] const ssize_t n = ::write(plan.report, &report, sizeof(report));
  ::_exit(127);
}

// dup2 in an order that never overwrites a source that is still needed: all sources are first moved
// above the standard descriptors.
bool take_streams(const std::array<int, 3>& stdio) {
  std::array<int, 3> sources = stdio;
  for (int i = 0; i < 3; ++i) {
    if (sources[i] == i || sources[i] > STDERR_FILENO) continue;
    sources[i] = ::fcntl(sources[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (sources[i] < 0) return false;
  }
  for (int i = 0; i < 3; ++i) {
    if (sources[i] != i && ::dup2(sources[i], i) < 0) return false;
  }
  return true;
}

// In the child. Async-signal-safe throughout.
[[noreturn]] void be_the_command(const Plan& plan) {
  if (!take_streams(plan.stdio)) give_up(plan, Step::kStreams, errno);
  if (plan.directory != nullptr && ::chdir(plan.directory) < 0)
    give_up(plan, Step::kDirectory, errno);
  if (const int error = join_tree(plan.join_fd); error != 0) give_up(plan, Step::kJoin, error);
  const Report joined{Step::kJoined, 0};
  char go = 0;
  if (::write(plan.report, &joined, sizeof(joined)) != sizeof(joined) ||
      ::read(plan.go, &go, 1) != 1)
    ::_exit(127);
  ::execve(plan.program, plan.argv.data(), plan.env.data());
  give_up(plan, Step::kExec, errno);
}

// The child's next report; nullopt at the end of the stream.
Result<std::optional<Report>> read_report(int fd) {
  Report report{};
  ssize_t n = 0;
  do {
    n = ::read(fd, &report, sizeof(report));
  } while (n < 0 && errno == EINTR);
  if (n < 0) return fail_errno("read from the child");
  if (n == 0) return std::optional<Report>();
  return std::optional<Report>(report);
}

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// What the command asks for; its strings outlive the result.
std::vector<char*> environment(const WatchedCommand& command) {
  const auto& extra = command.env;
  std::vector<char*> env = c_strings(extra);
  if (command.only_env) return env;
  env.pop_back();
  const auto replaced = [&](std::string_view entry) {
    const auto name = entry.substr(0, entry.find('='));
    return std::any_of(extra.begin(), extra.end(), [&](const std::string& other) {
      return std::string_view(other).substr(0, other.find('=')) == name;
    });
  };
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    if (!replaced(*entry)) env.push_back(*entry);
  }
  env.push_back(nullptr);
  return env;
}

Result<void> make_pipe(UniqueFd& read_end, UniqueFd& write_end) {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) < 0) return fail_errno("pipe");
  read_end.reset(fds[0]);
  write_end.reset(fds[1]);
  return {};
}

}  // namespace

Result<StoppedChild> StoppedChild::start(const WatchedCommand& command, const std::string& program,
                                         int join_fd) {
  StoppedChild child;
  STRATA_CHECK(make_pipe(child.go_peer_, child.go_));
  UniqueFd report;
  STRATA_CHECK(make_pipe(child.report_, report));

  const Plan plan{.stdio = command.stdio,
                  .directory = command.directory.empty() ? nullptr : command.directory.c_str(),
                  .program = program.c_str(),
                  .argv = c_strings(command.argv),
                  .env = environment(command),
                  .join_fd = join_fd,
                  .go = child.go_peer_.get(),
                  .report = report.get()};
  child.pid_ = ::fork();
  if (child.pid_ < 0) return fail_errno("fork");
  if (child.pid_ == 0) {
    child.go_.reset();  // or it would wait for itself when the parent dies
    be_the_command(plan);
  }
  report.reset();
  child.pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, child.pid_, 0)));
  if (!child.pidfd_) return fail_errno("pidfd_open");

  STRATA_TRY(const auto first, read_report(child.report_.get()));
  if (!first) return fail(ECHILD, "start " + program + ": the child ended early");
  if (first->step != Step::kJoined) {
    return fail_errno("start " + program + ": " + std::string(describe(first->step)), first->error);
  }
  return child;
}

StoppedChild::StoppedChild(StoppedChild&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      go_(std::move(other.go_)),
      go_peer_(std::move(other.go_peer_)),
      report_(std::move(other.report_)) {}

StoppedChild::~StoppedChild() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<int> StoppedChild::release() {
  if (::write(go_.get(), "g", 1) != 1) return fail_errno("let the child go");
  go_.reset();
  STRATA_TRY(const auto report, read_report(report_.get()));
  return report ? report->error : 0;
}

Result<int> StoppedChild::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return fail_errno("wait for the command");
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace strata::probes
