// A child process that stands still between fork and execve until it is let go, having joined a
// probe's tree: so that a probe misses nothing of the command.
//
// Private to probes/. Thread rule: one owner.
#pragma once

#include <sys/types.h>

#include "probes/command.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::probes {

class StoppedChild {
 public:
  // Forks; the child joins the tree of `join_fd`, takes its standard streams and directory, and
  // waits. `program` is the path that it will execute. Signal mask and dispositions are ours.
  [[nodiscard]] static Result<StoppedChild> start(const WatchedCommand& command,
                                                  const std::string& program, int join_fd);

  StoppedChild(StoppedChild&& other) noexcept;
  StoppedChild& operator=(StoppedChild&&) = delete;
  ~StoppedChild();  // kills and reaps it, unless wait() did

  [[nodiscard]] int pidfd() const { return pidfd_.get(); }  // readable once it has ended

  // Lets it call execve. Returns 0 once the program runs, or the errno of the failed execve.
  [[nodiscard]] Result<int> release();

  // Waits for its end; exit status, or 128 + signal number.
  [[nodiscard]] Result<int> wait();

 private:
  StoppedChild() = default;

  pid_t pid_ = -1;
  UniqueFd pidfd_;
  UniqueFd go_;       // a byte written here lets the child go
  UniqueFd go_peer_;  // held so that writing never raises SIGPIPE
  UniqueFd report_;   // the child's reports; end of file: execve succeeded
};

}  // namespace strata::probes
