#include "runtime/container/monitor.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "runtime/container/clients.h"
#include "runtime/container/control.h"
#include "runtime/container/log_writer.h"
#include "runtime/container/setup.h"
#include "runtime/container/spec.h"
#include "runtime/container/time.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

// A container that lasts longer than this is worth being found again after a crash of the machine,
// and one that removes itself being described to others.
constexpr int kWorthKeepingMs = 1000;

// How often a full log is looked at.
constexpr int kFullLogMs = 20;

// A session of its own, nothing of the caller's that could be held up or hold us up.
void detach() {
  ::setsid();
  ::prctl(PR_SET_NAME, "strata-monitor");
  (void)::chdir("/");
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return;  // a host without it: what we inherited stays
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null.get(), fd);
}

// Closes what was inherited, except for what is ours.
void close_other_descriptors(std::vector<int> ours) {
  std::sort(ours.begin(), ours.end());
  unsigned first = STDERR_FILENO + 1;
  for (const int fd : ours) {
    const auto own = static_cast<unsigned>(fd);
    if (own > first) ::close_range(first, own - 1, 0);
    first = std::max(first, own + 1);
  }
  ::close_range(first, ~0U, 0);
}

timespec now() {
  timespec time{};
  ::clock_gettime(CLOCK_REALTIME, &time);
  return time;
}

class Monitor {
 public:
  explicit Monitor(MonitorRequest request)
      : container_(*request.container),
        lock_(std::move(request.lock)),
        log_(std::move(request.log)),
        options_(request.options) {
    clients_.add_first(std::move(request.client), request.options.attach);
  }

  void run() {
    auto program = set_up(container_, options_);
    if (!program) {
      fail_start(program.error());
      return;
    }
    program_.emplace(*std::move(program));
    if (auto recorded = record_start(); !recorded) {
      // Nobody would know of it: it must not run.
      (void)program_->cgroup.kill_all();
      (void)reap();
      (void)program_->cgroup.remove();
      fail_start({kRuntimeFailed, std::move(recorded).error()});
      return;
    }
    clients_.started({program_->launched.pidfd(), std::move(program_->streams.input),
                      container_.record().terminal});
    if (!container_.record().auto_remove) keep_config();
    ::malloc_trim(0);
    relay_output();
    finish();
  }

 private:
  Result<void> record_start();
  void fail_start(const StartFailure& failure);
  void relay_output();
  void drain(UniqueFd& stream, Stream kind, bool to_the_end);
  void append_log(std::string_view lines);
  void keep_config();
  void keep_durably();
  int reap();
  void record_end();
  void finish();
  void note_problem(const Error& error);

  const Container& container_;
  ContainerLock lock_;
  LogWriter log_;
  StartOptions options_;
  Clients clients_;
  State state_;
  std::optional<RunningProgram> program_;
  LogFormatter formatter_;
  bool log_failed_ = false;
};

Result<void> Monitor::record_start() {
  STRATA_TRY(UniqueFd listener, listen_in(lock_.fd()));
  clients_.listen_on(std::move(listener));
  state_.status = Status::kRunning;
  state_.started = now_text();
  state_.setup = program_->launched.laps();
  STRATA_TRY(state_.monitor, identify(::getpid()));
  // Ours to reap, so its number is its own even if it has ended already.
  STRATA_TRY(state_.process, identify(program_->launched.pid()));
  return container_.save(state_);
}

void Monitor::fail_start(const StartFailure& failure) {
  state_.status = Status::kExited;
  state_.exit_code = failure.status;
  state_.error = failure.error.what;
  state_.finished = now_text();
  const bool has_cgroup =
      !linux::Cgroup::existing(cgroup_path(container_.id())).directories().empty();
  if (container_.record().auto_remove && !has_cgroup) {
    (void)remove_files(container_);
  } else {
    (void)container_.save(state_);
  }
  clients_.failed(failure.status, failure.error.code, failure.error.what);
}

void Monitor::relay_output() {
  auto& streams = program_->streams;
  std::vector<pollfd> fds;
  int timeout = kWorthKeepingMs;
  for (;;) {
    const bool full = log_.is_full();
    fds.assign({{program_->launched.pidfd(), POLLIN, 0},
                {full ? -1 : streams.out.get(), POLLIN, 0},
                {full ? -1 : streams.err.get(), POLLIN, 0}});
    const size_t own = fds.size();
    clients_.collect(fds);
    const int ready = ::poll(fds.data(), fds.size(), full ? kFullLogMs : timeout);
    if (ready < 0 || (ready == 0 && full)) continue;  // EINTR, or to look again
    if (ready == 0) {
      container_.record().auto_remove ? keep_config() : keep_durably();
      timeout = -1;
      continue;
    }
    const bool ended = fds[0].revents != 0;
    if (fds[1].revents != 0) drain(streams.out, Stream::kOut, ended);
    if (fds[2].revents != 0) drain(streams.err, Stream::kErr, ended);
    clients_.handle(fds.data() + own);
    if (ended) break;
  }
  // All that could write has ended: what there is to read is there.
  drain(streams.out, Stream::kOut, true);
  drain(streams.err, Stream::kErr, true);
  append_log(formatter_.finish(now()));
}

// Logs what can be read: one portion, or all there is.
void Monitor::drain(UniqueFd& stream, Stream kind, bool to_the_end) {
  std::array<char, 65536> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (stream.valid()) {
    const ssize_t n = ::read(stream.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {  // the end, or EIO of a terminal that nobody has open
      stream.reset();
      return;
    }
    append_log(formatter_.format(kind, {buffer.data(), static_cast<size_t>(n)}, now()));
    if (!to_the_end) return;
  }
}

void Monitor::append_log(std::string_view lines) {
  if (lines.empty()) return;
  if (auto written = log_.append(lines); !written) {
    // The container goes on: its output is lost, and its state says so.
    if (!log_failed_) note_problem(wrap("output was lost", std::move(written).error()));
    log_failed_ = true;
  }
  clients_.output();
}

void Monitor::keep_config() {
  const oci::Spec spec = std::exchange(program_->spec, {});
  if (auto written = write_config(spec, container_.files()); !written)
    note_problem(written.error());
}

void Monitor::keep_durably() {
  const auto& files = container_.files();
  for (const auto& path : {files.record(), files.image(), files.dir()}) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd) ::fsync(fd.get());
  }
}

int Monitor::reap() {
  siginfo_t info{};
  const auto pidfd = static_cast<id_t>(program_->launched.pidfd());
  while (::waitid(P_PIDFD, pidfd, &info, WEXITED) < 0 && errno == EINTR) {
  }
  return info.si_code == CLD_EXITED ? info.si_status : kSignalled + info.si_status;
}

void Monitor::note_problem(const Error& error) {
  if (!state_.error.empty()) state_.error += "; ";
  state_.error += error.what;
}

void Monitor::record_end() {
  if (container_.record().auto_remove) return;
  if (auto recorded = container_.save(state_); !recorded) note_problem(recorded.error());
}

void Monitor::finish() {
  const auto& record = container_.record();
  state_.exit_code = reap();
  state_.finished = now_text();
  state_.status = Status::kExited;
  if (record.limits.memory_limit || state_.exit_code == kSignalled + SIGKILL)
    state_.oom_killed = program_->cgroup.stats().oom_killed;
  record_end();
  // Processes of `exec` ended with the pid namespace.
  if (auto cleared = program_->cgroup.remove(); !cleared) {
    note_problem(cleared.error());
    (void)container_.save(state_);
  } else if (record.auto_remove) {
    // Not before the cgroup is gone: without a directory nobody would find it.
    if (auto removed = remove_files(container_); !removed) note_problem(removed.error());
  }
  clients_.exited(state_.exit_code, state_.error);
}

}  // namespace

void run_monitor(MonitorRequest request) {
  detach();
  close_other_descriptors({request.lock.fd(), request.log.get(), request.client.get()});
  Monitor(std::move(request)).run();
  ::_exit(0);
}

}  // namespace strata::container
