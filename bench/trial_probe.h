// Looking inside a trial. A probed trial pays for the probe, so it is one more trial of each
// target, after the timed ones, and in no aggregate.
//
// Thread rule: main thread.
#pragma once

#include <memory>
#include <string>

#include "bench/executor.h"
#include "bench/result.h"
#include "unionfs/base/result.h"

namespace strata::bench {

class TrialProbe {
 public:
  TrialProbe() = default;
  TrialProbe(const TrialProbe&) = delete;
  TrialProbe& operator=(const TrialProbe&) = delete;
  virtual ~TrialProbe() = default;

  // Runs one trial under the probe, until nothing that it started is left. The caller sets the
  // breakdown's target.
  [[nodiscard]] virtual Result<ProbeBreakdown> observe(const Launch& launch) = 0;
};

// The startup probe of probes/startup.h: forks, execs, exits and system calls. An Error says why
// it can't run here. Arguments as for ProcessExecutor.
[[nodiscard]] Result<std::unique_ptr<TrialProbe>> make_startup_probe(std::string launcher,
                                                                     const Interrupt* interrupt);

}  // namespace strata::bench
