// The startup probe as a TrialProbe.

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "bench/startup_breakdown.h"
#include "bench/trial_probe.h"
#include "probes/startup.h"
#include "unionfs/base/file.h"
#include "unionfs/base/interrupt.h"
#include "unionfs/base/process_tree.h"

namespace strata::bench {
namespace {

constexpr std::chrono::seconds kKillPatience{5};

// The program itself, or the launcher that becomes it where it needs another root.
std::vector<std::string> watched_command(const std::string& launcher, const Launch& launch) {
  std::vector<std::string> argv;
  const auto add = [&](const char* option, const std::filesystem::path& value) {
    if (!value.empty()) argv.insert(argv.end(), {option, value.string()});
  };
  add("--mount-namespace", launch.mount_namespace);
  add("--root", launch.root);
  add("--directory", launch.directory);
  if (!argv.empty()) {
    argv.insert(argv.begin(), launcher);
    argv.emplace_back("--");
  }
  argv.insert(argv.end(), launch.argv.begin(), launch.argv.end());
  return argv;
}

// Kills everything below the harness at the time limit or an interrupt, unless destroyed before.
class Watchdog {
 public:
  Watchdog(std::chrono::milliseconds limit, const Interrupt* interrupt)
      : done_(::eventfd(0, EFD_CLOEXEC)),
        thread_([this, limit, fd = interrupt != nullptr ? interrupt->fd() : -1] {
          std::array<pollfd, 2> fds{{{done_.get(), POLLIN, 0}, {fd, POLLIN, 0}}};
          ::poll(fds.data(), fds.size(), static_cast<int>(limit.count()));
          if (fds[0].revents != 0) return;
          bit_ = true;
          [[maybe_unused]] const bool all = kill_descendants(::getpid(), kKillPatience);
        }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() { static_cast<void>(finish()); }

  // Whether it had to kill.
  bool finish() {
    if (thread_.joinable()) {
      ::eventfd_write(done_.get(), 1);
      thread_.join();
    }
    return bit_;
  }

 private:
  UniqueFd done_;
  bool bit_ = false;
  std::thread thread_;
};

class StartupTrialProbe final : public TrialProbe {
 public:
  StartupTrialProbe(probes::StartupProbe probe, std::string launcher, const Interrupt* interrupt)
      : probe_(std::move(probe)), launcher_(std::move(launcher)), interrupt_(interrupt) {}

  Result<ProbeBreakdown> observe(const Launch& launch) override {
    STRATA_TRY(const UniqueFd null, open_file("/dev/null", O_RDWR));
    UniqueFd fifo;  // a reader, so that the program's open doesn't wait for ever
    if (!launch.output_fifo.empty()) {
      STRATA_TRY(fifo, open_file(launch.output_fifo, O_RDONLY | O_NONBLOCK));
    }
    std::optional<Watchdog> watchdog;
    const auto trace =
        probe_.run({.argv = watched_command(launcher_, launch),
                    .env = launch.env,
                    .only_env = true,
                    .stdio = {null.get(), null.get(), null.get()},
                    .linger = std::nullopt,
                    .stop_fd = interrupt_ != nullptr ? interrupt_->fd() : -1,
                    .on_start = [&](pid_t) { watchdog.emplace(launch.timeout, interrupt_); }});
    const bool killed = watchdog && watchdog->finish();
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (!trace) return std::unexpected(trace.error());
    if (killed) return fail(ETIMEDOUT, "the probed trial was ended early");
    if (trace->end.status != 0)
      return fail(ECHILD,
                  "the probed trial ended with status " + std::to_string(trace->end.status));
    const bool through_launcher =
        !launch.mount_namespace.empty() || !launch.root.empty() || !launch.directory.empty();
    return to_breakdown(*trace, through_launcher);
  }

 private:
  probes::StartupProbe probe_;
  std::string launcher_;
  const Interrupt* interrupt_;
};

}  // namespace

Result<std::unique_ptr<TrialProbe>> make_startup_probe(std::string launcher,
                                                       const Interrupt* interrupt) {
  STRATA_TRY(auto probe, probes::StartupProbe::open());
  return std::make_unique<StartupTrialProbe>(std::move(probe), std::move(launcher), interrupt);
}

}  // namespace strata::bench
