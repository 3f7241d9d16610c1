#include "runtime/container/control.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/container/channel.h"
#include "runtime/container/names.h"
#include "runtime/container/signals.h"
#include "runtime/container/start.h"
#include "runtime/container/time.h"
#include "runtime/linux/cgroup.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How long a monitor may take from its container's end to its own before it is taken for hung.
constexpr milliseconds kMonitorPatience(2'000);
// How long another program may take to do something to a container.
constexpr milliseconds kLockPatience(10'000);
// How long the kernel may take to end processes that were sent SIGKILL.
constexpr milliseconds kKillPatience(30'000);

// Waits for the container's end; nullopt when the time is over.
Result<std::optional<int>> wait_until(const Container& container,
                                      std::optional<Clock::time_point> deadline) {
  STRATA_TRY(const auto channel, watch(container));
  while (channel) {
    int timeout = -1;
    if (deadline) {
      const auto left = std::chrono::ceil<milliseconds>(*deadline - Clock::now());
      timeout = static_cast<int>(std::max<int64_t>(0, left.count()));
    }
    pollfd fd{channel->get(), POLLIN, 0};
    const int ready = ::poll(&fd, 1, timeout);
    if (ready == 0) return std::optional<int>();
    if (ready < 0) continue;  // EINTR
    STRATA_TRY(const auto message, receive_message(channel->get()));
    if (!message) break;
    if (message->kind == Message::Kind::kExited || message->kind == Message::Kind::kFailed)
      return std::optional(message->status);
  }
  // No monitor (any more): what it recorded last counts.
  STRATA_TRY(const State state, container.state());
  if (state.status == Status::kRunning || state.status == Status::kDead)
    return fail(ECONNRESET, "container " + container.name() +
                                " is dead: its monitor was killed, so nobody knows how it ended");
  return std::optional(state.exit_code);
}

Result<void> clear_processes(const Container& container) {
  const auto cgroup = linux::Cgroup::existing(cgroup_path(container.id()));
  STRATA_CHECK(cgroup.kill_all());
  return cgroup.remove();
}

Result<int> stop_signal(const Container& container) {
  const auto& name = container.record().stop_signal;
  return name.empty() ? SIGTERM : parse_signal(name);
}

void thaw(const Container& container) {
  (void)linux::Cgroup::existing(cgroup_path(container.id())).thaw();
}

// Kills what runs, and a monitor that does not end after that.
Result<void> kill_with_monitor(const Container& container, const State& state) {
  if (auto killed = kill(container, SIGKILL);
      !killed && killed.error().code != ESRCH && killed.error().code != EINVAL)
    return killed;
  if (ContainerLock::take(container.files(), kMonitorPatience)) return {};
  (void)send_signal(state.monitor, SIGKILL);
  return {};
}

}  // namespace

Result<void> kill(const Container& container, int signal) {
  STRATA_TRY(const State state, container.state());
  if (!state.can_kill()) return fail(EINVAL, "container " + container.name() + " is not running");
  if (signal == SIGKILL) thaw(container);
  auto sent = send_signal(state.process, signal);
  if (!sent) return fail_in("container " + container.name(), std::move(sent).error());
  return {};
}

Result<void> stop(const Container& container, milliseconds grace) {
  STRATA_TRY(const State state, container.state());
  if (state.status != Status::kRunning) return {};
  STRATA_TRY(const int signal, stop_signal(container));
  // One that ends by itself at this moment is stopped, too.
  if (auto sent = kill(container, signal);
      !sent && sent.error().code != EINVAL && sent.error().code != ESRCH)
    return sent;
  auto ended = wait_until(container, Clock::now() + grace);
  if (ended && !*ended) {
    if (auto killed = kill(container, SIGKILL); !killed && killed.error().code == EPERM)
      return killed;
    ended = wait_until(container, Clock::now() + kKillPatience);
  }
  if (!ended && ended.error().code != ENOENT) return std::unexpected(std::move(ended).error());
  if (ended && !*ended)
    return fail(ETIMEDOUT, "container " + container.name() + " does not end, even by SIGKILL");
  return {};
}

Result<void> stop_abandoned(const Container& container, bool hung_up) {
  constexpr milliseconds kGrace(10'000);
  STRATA_TRY(const State state, container.state());
  STRATA_TRY(const int signal, stop_signal(container));
  const bool decides =
      decides_on(state.process, signal) || (hung_up && decides_on(state.process, SIGHUP));
  return stop(container, decides ? kGrace : milliseconds(0));
}

Result<int> wait(const Container& container) {
  STRATA_TRY(const auto status, wait_until(container, std::nullopt));
  return *status;
}

Result<void> remove(const Container& container, bool force) {
  STRATA_TRY(const State state, container.state());
  if (!state.can_remove()) {
    if (!force)
      return fail(EBUSY, "container " + container.name() +
                             " is running: stop it first, or remove it by force (-f)");
    STRATA_CHECK(kill_with_monitor(container, state));
  }
  auto lock = ContainerLock::take(container.files(), kLockPatience);
  if (!lock && lock.error().code == ENOENT) return {};
  if (!lock) return std::unexpected(std::move(lock).error());
  // Whatever the state says: with the lock ours, what is left of its processes is nobody's.
  STRATA_CHECK(clear_processes(container));
  return remove_files(container);
}

Result<bool> recover(const Container& container, const ContainerLock& /*lock*/) {
  STRATA_CHECK(clear_processes(container));
  if (container.record().auto_remove) {
    STRATA_CHECK(remove_files(container));
    return false;
  }
  STRATA_TRY(State state, container.state());
  if (!state.needs_recovery()) return true;
  state.status = Status::kExited;
  state.exit_code = kSignalled + SIGKILL;
  state.finished = now_text();
  state.error = "the container's monitor was killed";
  STRATA_CHECK(container.save(state));
  return true;
}

Result<ContainerLock> lock_for_start(const Container& container) {
  const auto deadline = Clock::now() + kLockPatience;
  for (;;) {
    STRATA_TRY(const State state, container.state());
    if (!state.can_start())
      return fail(EBUSY, "container " + container.name() + " is running already");
    // Somebody else may be starting it: then it runs soon, and its monitor keeps the lock.
    auto lock = ContainerLock::take(container.files(), milliseconds(20));
    if (!lock && lock.error().code == EBUSY && Clock::now() < deadline) continue;
    if (!lock) return lock;
    STRATA_TRY(const State now, container.state());
    if (now.needs_recovery()) {
      STRATA_TRY(const bool kept, recover(container, *lock));
      if (!kept) return fail(ENOENT, "container " + container.name() + " is gone");
    }
    return lock;
  }
}

Result<void> remove_files(const Container& container) {
  const auto& files = container.files();
  STRATA_CHECK(release_name(container.store(), container.name(), container.id()));
  // Without its record the directory is no container any more, but refuse.
  if (::unlink(files.record().c_str()) < 0 && errno != ENOENT)
    return fail_errno("remove " + files.record().string());
  return remove_tree(files.dir());
}

}  // namespace strata::container
