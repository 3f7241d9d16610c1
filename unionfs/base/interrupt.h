// Ctrl-C as something to wait for: while an Interrupt exists, SIGINT, SIGTERM and SIGHUP do not
// end the process but make fd() readable, so that a run ends with its clean-up done and its results
// saved. Further signals change nothing. A SIGHUP that is ignored (nohup(1)) stays so. What is
// started by run_command() gets a default signal mask again.
//
// Thread rule: created before other threads; fd(), raised() and signal() from any thread.
#pragma once

#include <csignal>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata {

class Interrupt {
 public:
  [[nodiscard]] static Result<Interrupt> watch();
  Interrupt(Interrupt&&) = default;
  Interrupt& operator=(Interrupt&&) = delete;
  ~Interrupt();

  // Readable (for poll(2)) from the first signal on. Not to be read from.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool raised() const { return signal() != 0; }

  // Which signal it was, 0 if none; of several the most urgent.
  [[nodiscard]] int signal() const;

 private:
  Interrupt(UniqueFd fd, const sigset_t& previous) : fd_(std::move(fd)), previous_(previous) {}
  UniqueFd fd_;
  sigset_t previous_;
};

}  // namespace strata
