#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <utility>

#include "probes/probe.h"
#include "probes/stopped_child.h"
#include "unionfs/base/subprocess.h"
#include "unionfs/base/undo.h"

namespace strata::probes {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Even if no wake-up arrives (they are rare by design), look this often.
constexpr milliseconds kLookEvery{100};

// Statuses of a command that could not be executed, as shells have them.
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

CommandEnd not_started(int error) {
  return {.status = error == ENOENT ? kNotFound : kCannotExecute, .start_error = error};
}

milliseconds until(Clock::time_point end) {
  const auto left = std::chrono::ceil<milliseconds>(end - Clock::now());
  return std::clamp(left, milliseconds(0), kLookEvery);
}

// Waits for news from the command or the probe, or from whoever wants an end, and drains.
struct News {
  bool ended = false;
  bool stop = false;
};
Result<News> wait_for_news(Probe& probe, int pidfd, int stop_fd, milliseconds patience) {
  std::array<pollfd, 3> fds{
      {{probe.readable_fd(), POLLIN, 0}, {pidfd, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
  const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(patience.count()));
  if (ready < 0 && errno != EINTR) return fail_errno("poll");
  STRATA_CHECK(probe.drain());
  if (ready <= 0) return News{};
  return News{.ended = fds[1].revents != 0, .stop = fds[2].revents != 0};
}

// Until the tree has ended, the time is up, or somebody wants to stop.
Result<void> linger(Probe& probe, const WatchedCommand& command) {
  const auto end = Clock::now() + command.linger.value_or(milliseconds(0));
  while (!probe.tree_ended()) {
    const auto patience = command.linger ? until(end) : kLookEvery;
    if (patience <= milliseconds(0)) break;
    STRATA_TRY(const News news, wait_for_news(probe, -1, command.stop_fd, patience));
    if (news.stop) break;
  }
  return {};
}

}  // namespace

Result<CommandEnd> watch(Probe& probe, const WatchedCommand& command) {
  // A name with a slash is left to execve: it is relative to the command's own directory.
  std::string program = command.argv.front();
  if (program.find('/') == std::string::npos) {
    auto found = find_program(program);
    if (!found) return not_started(ENOENT);
    program = *std::move(found);
  }

  STRATA_CHECK(probe.attach());
  Undo undo;
  undo.add([&] { probe.detach(); });
  STRATA_TRY(StoppedChild child, StoppedChild::start(command, program, probe.join_fd()));
  if (command.on_start) command.on_start(child.pidfd());
  STRATA_TRY(const int start_error, child.release());

  for (bool ended = start_error != 0; !ended;) {
    STRATA_TRY(const News news, wait_for_news(probe, child.pidfd(), -1, kLookEvery));
    ended = news.ended;
  }
  STRATA_TRY(const int status, child.wait());
  if (start_error != 0) return not_started(start_error);
  STRATA_CHECK(linger(probe, command));
  return CommandEnd{.status = status};
}

}  // namespace strata::probes
