#include "runtime/container/start.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "runtime/container/channel.h"
#include "runtime/container/monitor.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

struct OpenLog {
  UniqueFd file;
  off_t end = 0;
};

// Half a line of a writer that was killed is ended, lest it swallow the next record.
Result<OpenLog> open_log(const Files& files) {
  OpenLog log;
  STRATA_TRY(log.file, open_file(files.log(), O_RDWR | O_CREAT | O_APPEND, 0600));
  struct stat st {};
  if (::fstat(log.file.get(), &st) < 0) return fail_errno("look at " + files.log().string());
  log.end = st.st_size;
  char last = '\n';
  if (log.end > 0 && ::pread(log.file.get(), &last, 1, log.end - 1) != 1)
    return fail_errno("read " + files.log().string());
  if (last != '\n' && ::write(log.file.get(), "\n", 1) == 1) ++log.end;
  return log;
}

}  // namespace

Result<Connection> start(const Container& container, ContainerLock lock,
                         const StartOptions& options) {
  STRATA_TRY(OpenLog log, open_log(container.files()));
  UniqueFd to_read;
  if (options.follow) {
    STRATA_TRY(to_read, open_file(container.files().log(), O_RDONLY));
  }
  STRATA_TRY(ChannelPair channel, make_channel_pair());
  std::fflush(nullptr);  // or both processes would write what is buffered
  LogReader reader(std::move(to_read), log.end);
  if (options.follow) reader.hold();
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("start the monitor of " + container.name() + ": fork");
  if (pid == 0) {
    channel.client.reset();
    run_monitor(
        {&container, std::move(lock), std::move(log.file), std::move(channel.monitor), options});
  }
  return Connection{std::move(channel.client), std::move(reader)};
}

Result<std::optional<UniqueFd>> watch(const Container& container) {
  return connect_to_monitor(container.files(), Hello::kWatch);
}

Result<StartResult> await_start(int channel) {
  for (;;) {
    STRATA_TRY(auto message, receive_message(channel));
    if (!message) return fail(ECONNRESET, "the container's monitor died before the container ran");
    switch (message->kind) {
      case Message::Kind::kFailed:
        return StartResult{
            .failure = StartFailure{message->status, {message->code, std::move(message->text)}}};
      case Message::Kind::kStarted: {
        StartResult result;
        auto& fds = message->descriptors;
        if (!fds.empty()) result.running.pidfd = std::move(fds[0]);
        if (fds.size() > 1) result.running.input = std::move(fds[1]);
        return result;
      }
      case Message::Kind::kOutput:
      case Message::Kind::kExited:
        break;  // comes after one of the others only
    }
  }
}

int status_of_exec_failure(int code) {
  if (code == ENOENT || code == ENOTDIR) return kNotFound;
  return code == ECHILD || code == ENOMEM ? kRuntimeFailed : kNotExecutable;
}

}  // namespace strata::container
