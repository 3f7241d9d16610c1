// Signals while a command runs under a probe: the person's Ctrl-C is for the command, which gets it
// from the terminal itself; what is sent to this process alone is passed on. Either way this
// process lives on to report.
//
// Thread rule: main thread only, one at a time.
#pragma once

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::probes::cli {

class SignalRelay {
 public:
  // Installs the handlers; dispositions that were 'ignore' stay so, for the command, too (nohup).
  [[nodiscard]] static Result<SignalRelay> install();

  SignalRelay(SignalRelay&& other) noexcept = default;
  SignalRelay& operator=(SignalRelay&&) = delete;
  ~SignalRelay() = default;

  // Where SIGTERM and SIGHUP go from now on. The relay keeps a duplicate of the pidfd.
  void pass_on_to(int pidfd);

  // Readable once a signal asked for an end.
  [[nodiscard]] int stop_fd() const { return stop_read_.get(); }

 private:
  SignalRelay() = default;
  UniqueFd stop_read_;
};

}  // namespace strata::probes::cli
