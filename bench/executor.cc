#include "bench/executor.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <ctime>
#include <limits>

#include "bench/launch_report.h"
#include "unionfs/base/interrupt.h"
#include "unionfs/base/process_tree.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bench {
namespace {

constexpr size_t kKeptOutput = size_t{64} << 10;
constexpr size_t kKeptErrors = size_t{4} << 10;
constexpr std::chrono::seconds kKillPatience{5};
constexpr int kKillAgainMs = 5;
constexpr int kReportFd = 3;  // in the launcher

int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (::pipe2(fds.data(), O_CLOEXEC) < 0) return fail_errno("pipe");
  Pipe pipe{UniqueFd(fds[0]), UniqueFd(fds[1])};
  // Our end only: what is started finds ordinary blocking streams.
  if (::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK) < 0) return fail_errno("set O_NONBLOCK");
  return pipe;
}

std::vector<char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const auto& s : strings) pointers.push_back(const_cast<char*>(s.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> launcher_command(const std::string& launcher, const Launch& launch) {
  std::vector<std::string> argv{launcher, "--report-fd", std::to_string(kReportFd)};
  const auto add = [&](const char* option, const std::filesystem::path& value) {
    if (value.empty()) return;
    argv.emplace_back(option);
    argv.push_back(value.string());
  };
  add("--mount-namespace", launch.mount_namespace);
  add("--root", launch.root);
  add("--directory", launch.directory);
  argv.emplace_back("--");
  argv.insert(argv.end(), launch.argv.begin(), launch.argv.end());
  return argv;
}

// Starts the launcher in a process group of its own (a Ctrl-C is for the harness, which then ends
// the trial in order), with nothing of ours but the given streams.
Result<pid_t> spawn(const std::vector<std::string>& argv, const std::vector<std::string>& env,
                    int out, int err, int report) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, report, kReportFd);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, kReportFd + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int rc = ::posix_spawn(&pid, argv.front().c_str(), &actions, &attributes,
                               c_strings(argv).data(), c_strings(env).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (rc != 0) return fail_errno("start " + argv.front(), rc);
  return pid;
}

// One trial under observation.
class Trial {
 public:
  Trial(const Launch& launch, const Interrupt* interrupt)
      : launch_(launch), interrupt_(interrupt) {}

  Result<Outcome> run(const std::string& launcher);

 private:
  Result<void> start(const std::string& launcher);
  void observe();
  void end_early(int64_t now);
  void drain_watched();
  void drain_rest(UniqueFd& fd);
  void drain_report();
  void conclude();

  const Launch& launch_;
  const Interrupt* interrupt_;
  pid_t launcher_pid_ = -1;
  // `watched_` is where the first byte is expected; `other_` is standard output if that is a FIFO.
  UniqueFd watched_, other_, err_, report_;
  std::optional<int64_t> first_byte_at_;
  LaunchRecord record_;
  bool reported_ = false;
  std::optional<int64_t> give_up_at_;  // set once the trial is being ended early
  Outcome outcome_;
};

Result<void> Trial::start(const std::string& launcher) {
  STRATA_TRY(Pipe out, make_pipe());
  STRATA_TRY(Pipe err, make_pipe());
  STRATA_TRY(Pipe report, make_pipe());
  if (launch_.output_fifo.empty()) {
    watched_ = std::move(out.read);
  } else {
    other_ = std::move(out.read);
    watched_.reset(::open(launch_.output_fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (!watched_) return fail_errno("open " + launch_.output_fifo.string());
  }
  err_ = std::move(err.read);
  report_ = std::move(report.read);
  STRATA_TRY(launcher_pid_, spawn(launcher_command(launcher, launch_), launch_.env, out.write.get(),
                                  err.write.get(), report.write.get()));
  return {};
}

// Notes the first byte's time and keeps the beginning.
void Trial::drain_watched() {
  std::array<char, 65536> buffer{};
  const int64_t now = now_ns();
  const ssize_t n = ::read(watched_.get(), buffer.data(), buffer.size());
  if (n == 0) watched_.reset();
  if (n <= 0) return;
  if (!first_byte_at_) first_byte_at_ = now;
  const size_t room = kKeptOutput - std::min(kKeptOutput, outcome_.out.size());
  outcome_.out.append(buffer.data(), std::min(static_cast<size_t>(n), room));
}

// Keeps the end.
void Trial::drain_rest(UniqueFd& fd) {
  std::array<char, 65536> buffer{};
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n == 0) fd.reset();
  if (n <= 0) return;
  outcome_.err.append(buffer.data(), static_cast<size_t>(n));
  if (outcome_.err.size() > kKeptErrors) outcome_.err.erase(0, outcome_.err.size() - kKeptErrors);
}

void Trial::drain_report() {
  LaunchRecord record;
  const ssize_t n = ::read(report_.get(), &record, sizeof record);
  if (n == 0) report_.reset();
  if (n != sizeof record) return;
  record_ = record;
  reported_ = true;
}

// Until the launcher has ended, which it does when nothing of the trial is left.
void Trial::observe() {
  const int64_t deadline = now_ns() + std::chrono::nanoseconds(launch_.timeout).count();
  while (report_) {
    std::array<pollfd, 5> fds{{{watched_.get(), POLLIN, 0},
                               {other_.get(), POLLIN, 0},
                               {err_.get(), POLLIN, 0},
                               {report_.get(), POLLIN, 0},
                               {-1, POLLIN, 0}}};
    if (interrupt_ != nullptr && !give_up_at_) fds[4].fd = interrupt_->fd();
    const int64_t left_ms = (deadline - now_ns() + 999'999) / 1'000'000;
    const int wait_ms =
        give_up_at_ ? kKillAgainMs : static_cast<int>(std::max<int64_t>(0, left_ms));
    const int ready = ::poll(fds.data(), fds.size(), wait_ms);
    if (ready < 0) continue;
    if (fds[0].revents != 0) drain_watched();
    if (fds[1].revents != 0) drain_rest(other_);
    if (fds[2].revents != 0) drain_rest(err_);
    if (fds[3].revents != 0) drain_report();
    if (!give_up_at_ && (ready == 0 || fds[4].revents != 0)) outcome_.interrupted = ready != 0;
    if (give_up_at_ || ready == 0 || fds[4].revents != 0) end_early(now_ns());
  }
}

// Called again and again until the launcher has ended: it may have started nothing yet, and what it
// starts after a first killing must not run on.
void Trial::end_early(int64_t now) {
  if (!give_up_at_) {
    give_up_at_ = now + std::chrono::nanoseconds(kKillPatience).count();
    const bool had_exited = reported_ && record_.phase == LaunchPhase::kExited;
    outcome_.error = outcome_.interrupted ? "interrupted"
                     : had_exited ? "ended, but what it left behind ran on until the time limit"
                                  : "hung until the time limit";
  }
  const auto left = descendants(launcher_pid_);
  for (const pid_t pid : left) ::kill(pid, SIGKILL);
  if (now < *give_up_at_) return;
  if (!left.empty()) outcome_.error += "; some of its processes could not be killed";
  // Its children become ours (the harness is a subreaper, too), so none of them is lost sight of.
  ::kill(launcher_pid_, SIGKILL);
  give_up_at_ = std::numeric_limits<int64_t>::max();
}

void Trial::conclude() {
  while (::waitpid(launcher_pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  // What arrived last. The pipes are non-blocking, so a stray process that holds one is no danger.
  for (ssize_t before = -1; watched_ && before != std::ssize(outcome_.out);) {
    before = std::ssize(outcome_.out);
    drain_watched();
  }
  if (err_) drain_rest(err_);

  if (!reported_ || record_.phase == LaunchPhase::kNotStarted) {
    if (outcome_.error.empty())
      outcome_.error =
          reported_ ? posix_error("could not be started", record_.error).what : "the launcher died";
    return;
  }
  const auto since_start = [&](int64_t at) { return at - record_.start_ns; };
  outcome_.started_ns = record_.start_ns;
  if (first_byte_at_) outcome_.first_byte_ns = since_start(*first_byte_at_);
  outcome_.exit_ns = since_start(record_.exit_ns);
  if (record_.phase == LaunchPhase::kGone) outcome_.gone_ns = since_start(record_.gone_ns);
  outcome_.exit_status = WIFEXITED(record_.wait_status) ? WEXITSTATUS(record_.wait_status)
                                                        : 128 + WTERMSIG(record_.wait_status);
  outcome_.processes_left = record_.processes_left;
  outcome_.user_ns = record_.user_ns;
  outcome_.system_ns = record_.system_ns;
  outcome_.largest_rss_bytes = record_.largest_rss_bytes;
}

Result<Outcome> Trial::run(const std::string& launcher) {
  STRATA_CHECK(start(launcher));
  observe();
  conclude();
  return std::move(outcome_);
}

// The last line of `text` that says something.
std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

Result<Outcome> ProcessExecutor::run(const Launch& launch) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  return Trial(launch, interrupt_).run(launcher_);
}

std::string verdict(const Launch& launch, const Outcome& outcome) {
  const std::string said = last_line(outcome.err);
  const std::string because = said.empty() ? "" : ": " + said;
  if (!outcome.error.empty()) return outcome.error + because;
  if (outcome.exit_status != 0)
    return "exit status " + std::to_string(outcome.exit_status) + because;
  if (!outcome.first_byte_ns) return "the program wrote nothing" + because;
  if (launch.expected_output && outcome.out != *launch.expected_output)
    return "wrote '" + last_line(outcome.out) + "', expected '" +
           last_line(*launch.expected_output) + "'";
  return {};
}

}  // namespace strata::bench
