// A forked process that serves this one over a channel, for what must be done from another user
// namespace. It ends when its end of the channel is closed, and its owner waits for that.
//
// Thread rule: it forks: call from a single-threaded process. For the .cc files of runtime/linux
// only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

class HelperProcess {
 public:
  // `serve` runs there with its end of the channel; the process exits with it. `flags` are those
  // of clone(2); `what` names the purpose in an error.
  [[nodiscard]] static Result<HelperProcess> start(uint64_t flags, const std::string& what,
                                                   const std::function<void(int channel)>& serve);
  HelperProcess(HelperProcess&& other) noexcept;
  HelperProcess& operator=(HelperProcess&&) = delete;
  ~HelperProcess();

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int channel() const { return channel_.get(); }

 private:
  HelperProcess(pid_t pid, UniqueFd channel);

  pid_t pid_;
  UniqueFd channel_;
};

}  // namespace strata::linux
