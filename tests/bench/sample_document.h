// A result document as a start-up run makes it: ten targets that ran, two that were skipped, one
// that failed, VMs with few trials, a drift, an outlier, failures, a probe's breakdown. Made up,
// but always the same.
#pragma once

#include <cstdint>

#include "bench/result.h"

namespace strata::bench::testing {

// `scale` multiplies all times: two documents of different scales are two runs to compare.
[[nodiscard]] Document sample_document(uint64_t seed = 1, double scale = 1);

}  // namespace strata::bench::testing
