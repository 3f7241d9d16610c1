#include "runtime/linux/helper_process.h"

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "runtime/linux/setup_report.h"
#include "runtime/linux/sys.h"

namespace strata::linux {

Result<HelperProcess> HelperProcess::start(uint64_t flags, const std::string& what,
                                           const std::function<void(int channel)>& serve) {
  STRATA_TRY(Channel channel, make_channel());
  clone_args args{};
  args.flags = flags;
  args.exit_signal = SIGCHLD;
  const pid_t pid = sys::clone3(args);
  if (pid < 0) return fail_errno(what);
  if (pid == 0) {
    channel.parent.reset();
    serve(channel.child.get());
    ::_exit(0);
  }
  return HelperProcess(pid, std::move(channel.parent));
}

HelperProcess::HelperProcess(pid_t pid, UniqueFd channel)
    : pid_(pid), channel_(std::move(channel)) {}

HelperProcess::HelperProcess(HelperProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), channel_(std::move(other.channel_)) {}

HelperProcess::~HelperProcess() {
  if (pid_ < 0) return;
  channel_.reset();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace strata::linux
