#include "runtime/container/exec.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "runtime/container/environment.h"
#include "runtime/container/spec.h"
#include "runtime/container/streams.h"
#include "runtime/container/terminal.h"
#include "runtime/container/user.h"
#include "runtime/linux/cgroup.h"
#include "runtime/linux/launch.h"
#include "runtime/linux/seccomp.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

// The user as the container's own files have it now.
Result<ResolvedUser> resolve_inside(const ProcessIdentity& process, std::string_view user) {
  const std::string root = "/proc/" + std::to_string(process.pid) + "/root";
  STRATA_TRY(const UniqueFd fd, open_file(root, O_PATH | O_DIRECTORY));
  STRATA_TRY(auto resolved, resolve_user_in(fd.get(), user));
  // While it lives its number is its own, so what was opened was its root.
  if (!is_alive(process)) return fail(ESRCH, "the container has ended");
  return resolved;
}

Result<oci::Process> make_process(const Record& record, const ProcessIdentity& first,
                                  const ExecOptions& options) {
  STRATA_TRY(const auto user, resolve_inside(first, options.user.value_or(record.user)));
  oci::Process process = oci::default_spec().process;
  process.terminal = options.terminal;
  process.args = options.args;
  process.cwd = options.working_dir.value_or(record.cwd);
  if (!process.cwd.starts_with('/'))
    return fail(EINVAL, "working directory '" + process.cwd + "': give an absolute path");
  process.user = user.ids;
  process.env = record.env;
  if (options.terminal) set_variable(process.env, "TERM=xterm");
  STRATA_CHECK(set_variables(process.env, options.env));
  process.env = with_home(std::move(process.env), user.home);
  return process;
}

int exit_status(int pidfd) {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) < 0 && errno == EINTR) {
  }
  return info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
}

// One of the command's output streams to the same one of ours.
class StreamRelay {
 public:
  StreamRelay(UniqueFd from, int to) : from_(std::move(from)), to_(to) {}

  [[nodiscard]] bool idle() const { return !from_.valid() && to_.idle(); }
  [[nodiscard]] pollfd wanted() const {
    return to_.idle() ? pollfd{from_.get(), POLLIN, 0} : to_.wanted();
  }

  [[nodiscard]] Result<void> handle(short events) {
    if (events == 0) return {};
    if (to_.idle()) read_some();
    return to_.handle(POLLOUT);
  }

  // The command has ended: once what it wrote is read there is no more to wait for, whoever else
  // may hold the stream open.
  void read_rest() {
    while (to_.idle() && from_.valid())
      if (!read_some()) from_.reset();
  }

 private:
  // Whether there was something.
  bool read_some() {
    std::array<char, 16384> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
    const ssize_t n = ::read(from_.get(), buffer.data(), buffer.size());
    if (n > 0) {
      to_.add({buffer.data(), static_cast<size_t>(n)});
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      from_.reset();
    }
    return n > 0;
  }

  UniqueFd from_;
  OutputRelay to_;
};

Result<int> relay_to_the_end(linux::Launched& launched, Streams streams, SignalRelay& signals,
                             const ExecOptions& options) {
  std::optional<RawTerminal> raw;
  UniqueFd terminal;
  if (options.terminal) {
    terminal = std::move(streams.input);
    if (options.input) {
      raw.emplace(STDIN_FILENO);
      streams.input.reset(::fcntl(terminal.get(), F_DUPFD_CLOEXEC, 0));
    }
  }
  InputRelay input(STDIN_FILENO, std::move(streams.input));
  StreamRelay out(std::move(streams.out), STDOUT_FILENO);
  StreamRelay err(std::move(streams.err), STDERR_FILENO);
  bool ended = false;
  while (!ended || !out.idle() || !err.idle()) {
    std::array<pollfd, 5> fds{{signals.wanted(),
                               input.wanted(),
                               out.wanted(),
                               err.wanted(),
                               {ended ? -1 : launched.pidfd(), POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (fds[0].revents != 0) signals.handle(launched.pidfd(), terminal.get());
    input.handle(fds[1].revents);
    const auto written = out.handle(fds[2].revents);
    // The end of our descriptors hangs the command's terminal up.
    if (signals.hung_up() || (raw && input.at_end()) || (terminal && is_hang_up(written)))
      return kSignalled + SIGHUP;
    STRATA_CHECK(written);
    STRATA_CHECK(err.handle(fds[3].revents));
    ended = ended || fds[4].revents != 0;
    if (ended) {
      out.read_rest();
      err.read_rest();
    }
  }
  return exit_status(launched.pidfd());
}

}  // namespace

Result<ExecResult> exec(const Container& container, const ExecOptions& options) {
  STRATA_TRY(const State state, container.state());
  if (!state.can_exec()) return fail(EINVAL, "container " + container.name() + " is not running");
  const UniqueFd pidfd = open_process(state.process);
  if (!pidfd) return fail(ESRCH, "container " + container.name() + " has ended");
  STRATA_TRY(const oci::Process process, make_process(container.record(), state.process, options));
  STRATA_TRY(SignalRelay signals, SignalRelay::open());
  Streams streams;
  CommandEnds ends;
  if (!options.detach && !options.terminal) {
    STRATA_TRY(ends, make_pipes(options.input, streams));
  }
  const auto cgroup = linux::Cgroup::existing(cgroup_path(container.id()));
  STRATA_TRY(auto launched, linux::launch_exec({.pidfd = pidfd.get(),
                                                .process = &process,
                                                .cgroup = &cgroup,
                                                .stdio = ends.stdio(),
                                                .seccomp = linux::default_seccomp_filter()}));
  ends = {};
  if (options.terminal) {
    auto size = terminal_size(STDIN_FILENO);
    if (!size) size = terminal_size(STDOUT_FILENO);
    STRATA_TRY(streams, take_terminal(launched, size));
  }
  if (auto started = launched.start(); !started)
    return ExecResult{.failure = StartFailure{status_of_exec_failure(started.error().code),
                                              std::move(started).error()}};
  if (options.detach) return ExecResult{};
  STRATA_TRY(const int status, relay_to_the_end(launched, std::move(streams), signals, options));
  return ExecResult{.status = status};
}

}  // namespace strata::container
