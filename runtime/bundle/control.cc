#include "runtime/bundle/control.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/bundle/hooks.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

Result<void> kill_all(const linux::Cgroup& cgroup, int signal) {
  if (signal == SIGKILL) return cgroup.kill_all();
  for (const pid_t pid : cgroup.processes())
    if (pid > 0 && ::kill(pid, signal) < 0 && errno != ESRCH)
      return fail_errno("send signal " + std::to_string(signal) + " to process " +
                        std::to_string(pid));
  return {};
}

// Until it is dead, with whoever is in its pid namespace; reaping is its parent's business.
Result<void> end_process(const Container& container) {
  const UniqueFd pidfd = container::open_process(container.record().init);
  if (!pidfd) return {};
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), SIGKILL, nullptr, 0) < 0 && errno != ESRCH)
    return fail_errno("kill container " + container.record().id);
  const auto cgroup = container.cgroup();
  if (is_frozen(cgroup)) STRATA_CHECK(cgroup.thaw());
  pollfd ended{pidfd.get(), POLLIN, 0};
  const auto patience = std::chrono::milliseconds(kPatience);
  if (::poll(&ended, 1, static_cast<int>(patience.count())) == 0)
    return fail(EBUSY, "container " + container.record().id + " could not be killed");
  return {};
}

Result<void> destroy(const Container& container, Log& log) {
  STRATA_CHECK(end_process(container));
  const auto cgroup = container.cgroup();
  STRATA_CHECK(cgroup.kill_all());
  STRATA_CHECK(cgroup.remove());
  const auto hooks = container.hooks();
  const auto state = state_json(container.record(), Status::kStopped);
  const auto done = hooks ? run_hooks("poststop", hooks->poststop, state, {})
                          : Result<void>(std::unexpected(hooks.error()));
  if (!done) log.warning(done.error().what);
  return container.directory().remove();
}

// Of a creation that was cut off before it recorded, and so made, anything.
Result<void> remove_unrecorded(const std::filesystem::path& root, const std::string& id) {
  auto directory = StateDirectory::open(root, id);
  if (!directory) return {};
  STRATA_CHECK(directory->lock(kPatience));
  STRATA_TRY(const auto text, read_file_if_exists(directory->state()));
  return text ? Result<void>() : directory->remove();
}

}  // namespace

Result<void> kill(const Container& container, int signal, bool all) {
  const auto cgroup = container.cgroup();
  if (all && !container.record().cgroup.empty()) return kill_all(cgroup, signal);
  STRATA_TRY(const UniqueFd pidfd, container.open_init());
  if (::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) < 0) {
    if (errno == ESRCH) return fail(ESRCH, "container not running");
    return fail_errno("send signal " + std::to_string(signal) + " to the container");
  }
  if (signal == SIGKILL && is_frozen(cgroup)) return cgroup.thaw();
  return {};
}

Result<linux::Cgroup> needed_cgroup(const Container& container) {
  if (!container.record().cgroup.empty()) return container.cgroup();
  return fail(ENOTSUP, "container " + container.record().id +
                           " has no cgroup: its maker was not permitted to make one");
}

Result<void> pause(const Container& container) {
  STRATA_TRY(const auto cgroup, needed_cgroup(container));
  const auto status = container.status();
  if (status != Status::kRunning && status != Status::kCreated)
    return fail(EINVAL, "container not running: " + std::string(status_name(status)));
  return cgroup.freeze();
}

Result<void> resume(const Container& container) {
  if (container.status() != Status::kPaused) return fail(EINVAL, "container not paused");
  return container.cgroup().thaw();
}

Result<void> remove(const std::filesystem::path& root, const std::string& id, bool force,
                    Log& log) {
  auto container = Container::load(root, id);
  if (container) {
    auto locked = container->lock();
    if (!locked) container = std::unexpected(std::move(locked).error());
  }
  if (!container) {
    if (container.error().code != ENOENT) return std::unexpected(std::move(container).error());
    STRATA_CHECK(remove_unrecorded(root, id));
    if (force) return {};
    return std::unexpected(std::move(container).error());
  }
  const Status status = container->status();
  if (!force && status != Status::kStopped && status != Status::kCreated)
    return fail(EBUSY, "cannot delete container " + id +
                           " that is not stopped: " + std::string(status_name(status)));
  return destroy(*container, log);
}

Result<void> remove_ended(Container& container, Log& log) {
  if (auto locked = container.lock(); !locked)
    return locked.error().code == ENOENT ? Result<void>() : std::move(locked);
  return destroy(container, log);
}

}  // namespace strata::bundle
