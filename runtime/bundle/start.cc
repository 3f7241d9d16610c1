#include "runtime/bundle/start.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "runtime/bundle/hooks.h"
#include "runtime/bundle/rootless.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

Result<void> check_created(Status status) {
  switch (status) {
    case Status::kCreated:
      return {};
    case Status::kStopped:
      return fail(EINVAL, "cannot start a container that has stopped");
    case Status::kRunning:
      return fail(EINVAL, "cannot start an already running container");
    default:
      return fail(EINVAL,
                  "cannot start a container in the " + std::string(status_name(status)) + " state");
  }
}

// The process closes its FIFO by executing the program (or by ending): that is what a writer sees
// as an error (poll(2)).
Result<void> release(const std::filesystem::path& fifo) {
  STRATA_TRY(const UniqueFd fd, open_file(fifo, O_WRONLY | O_NONBLOCK));
  if (::write(fd.get(), "0", 1) != 1) return fail_errno("write to " + fifo.string());
  pollfd gone{fd.get(), 0, 0};
  while (::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
  return {};
}

}  // namespace

void run_poststart_hooks(const Container& container, const oci::Hooks& hooks, Log& log) {
  const auto state = state_json(container.record(), Status::kRunning);
  if (auto done = run_hooks("poststart", hooks.poststart, state, {}); !done)
    log.warning(done.error().what);
}

Result<void> start(Container& container, Log& log) {
  STRATA_CHECK(container.lock());
  STRATA_CHECK(check_created(container.status()));
  STRATA_TRY(const auto hooks, container.hooks());
  const auto& record = container.record();
  if (!hooks.start_container.empty()) STRATA_CHECK(become_root_in(container));
  auto ready = run_hooks("startContainer", hooks.start_container,
                         state_json(record, Status::kCreated), {.inside = &container});
  if (!ready) {
    [[maybe_unused]] const auto killed = container::send_signal(record.init, SIGKILL);
    return ready;
  }
  STRATA_CHECK(release(container.directory().fifo()));
  run_poststart_hooks(container, hooks, log);
  return {};
}

}  // namespace strata::bundle
