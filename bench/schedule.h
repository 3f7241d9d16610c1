// In which order trials are run. Rounds: in each, every target that takes part runs once, in an
// order drawn from the seed, so that a machine that drifts (heat, noisy neighbours, a cron job)
// harms all targets alike and trials of one round can be compared in pairs.
//
// Thread rule: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace strata::bench {

// How often one target is run.
struct Budget {
  int trials = 0;
  int warmups = 0;  // before those, in rounds of their own
};

struct Round {
  int number = 0;  // from 0, over warm-ups and trials
  bool warmup = false;
  std::vector<size_t> order;  // indexes of the targets that take part
};

// A target with fewer trials than the largest budget takes part in rounds spread evenly over the
// run. Warm-up rounds come first; of those a target with fewer takes part in the last ones. The
// same budgets and seed give the same schedule on every machine.
[[nodiscard]] std::vector<Round> make_schedule(const std::vector<Budget>& budgets, uint64_t seed);

}  // namespace strata::bench
