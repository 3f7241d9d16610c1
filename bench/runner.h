// Runs trials: asks targets whether they can run, sets them up, follows the schedule, keeps every
// sample, cleans up. Whatever fails is on record and the rest goes on.
//
// Thread rule: main thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "bench/executor.h"
#include "bench/result.h"
#include "bench/schedule.h"
#include "bench/target_driver.h"
#include "bench/trial_probe.h"
#include "bench/workload.h"

namespace strata::bench {

struct RunPlan {
  Budget budget{.trials = 50, .warmups = 2};
  Budget slow_budget{.trials = 5, .warmups = 1};  // for targets that are slow
  uint64_t seed = 0;
  int max_failures = 3;  // a target that failed so often is not tried again
  std::optional<std::chrono::milliseconds> timeout;  // of a trial, in place of the target's own
};

struct RunHooks {
  // Called after the set-up, after every round, and at the end.
  std::function<Result<void>(const Document&)> save = [](const Document&) {
    return Result<void>();
  };
  // What is going on, for a person.
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  // Whether to end the run early.
  std::function<bool()> interrupted = [] { return false; };
};

// Fills in targets, samples and skips of `document`, and what the plan says of its run. REQUIRES:
// `document` has no targets or samples yet. An Error means that the harness failed (results could
// not be saved, an executor that is broken); what was set up is cleaned up then, too. With `probe`,
// one more trial of each target is run under it after all others.
[[nodiscard]] Result<void> run_trials(Document& document, const Targets& targets,
                                      const Workload& workload, Executor& executor,
                                      const RunPlan& plan, const RunHooks& hooks,
                                      TrialProbe* probe = nullptr);

}  // namespace strata::bench
