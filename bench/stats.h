// The statistics that are quoted: medians, their bootstrap intervals, ratios pair by pair. Pure
// functions: the same samples give the same numbers, bootstrap included (its seed is fixed).
//
// Thread rule: any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bench/result.h"

namespace strata::bench {

struct Interval {
  double low = 0;
  double high = 0;
};

struct Estimate {
  double value = 0;
  Interval interval;  // 95 %
  size_t n = 0;
};

// REQUIRES: not empty. `q` in [0, 1]; between two values by linear interpolation (type 7).
[[nodiscard]] double quantile(std::span<const double> sorted, double q);
[[nodiscard]] double median(std::vector<double> values);

// The median with its percentile bootstrap interval; nullopt without samples.
[[nodiscard]] std::optional<Estimate> estimate_median(const std::vector<double>& values);

// The two-sided Mann-Whitney test in its normal approximation with ties: how likely samples of one
// distribution differ at least so much. 1 where either is empty.
[[nodiscard]] double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b);

// A metric's values of one target: warm-ups and failures left out.
[[nodiscard]] std::vector<double> values_of(const Document& document, std::string_view target,
                                            std::string_view metric);

// Median of the ratios target / reference within each round, with its interval: a machine that
// drifts harms both halves of a pair alike.
[[nodiscard]] std::optional<Estimate> paired_ratio(const Document& document,
                                                   std::string_view target,
                                                   std::string_view reference,
                                                   std::string_view metric);

}  // namespace strata::bench
