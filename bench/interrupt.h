// Ctrl-C as something to wait for: while an Interrupt exists, SIGINT, SIGTERM and SIGHUP do not
// end the process but make fd() readable, so that a run ends with its clean-up done and its results
// saved. What the harness starts gets a default signal mask again.
//
// Thread rule: created before other threads; fd() and raised() from any thread.
#pragma once

#include <csignal>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bench {

class Interrupt {
 public:
  [[nodiscard]] static Result<Interrupt> watch();
  Interrupt(Interrupt&&) = default;
  Interrupt& operator=(Interrupt&&) = delete;
  ~Interrupt();

  // Readable (for poll(2)) from the first signal on. Not to be read from.
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool raised() const;

 private:
  Interrupt(UniqueFd fd, const sigset_t& previous) : fd_(std::move(fd)), previous_(previous) {}
  UniqueFd fd_;
  sigset_t previous_;
};

}  // namespace strata::bench
