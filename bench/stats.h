// The statistics that are quoted: medians, their bootstrap intervals, ratios, and whether a
// difference is more than noise. Pure functions of numbers: the same samples give the same answer,
// bootstrap included (its seed is fixed). Nothing assumes a normal distribution or a scale:
// start-up times are skewed, and a microsecond is treated as a second is.
//
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace strata::bench {

// Fewer samples than this can't carry a 95 % interval of a median: even the range from the smallest
// to the largest of n misses it with probability 2^(1-n), 6 % for five.
inline constexpr size_t kFewestForInterval = 6;

struct Interval {
  double low = 0;
  double high = 0;
  bool operator==(const Interval&) const = default;
};

struct Estimate {
  double value = 0;
  Interval interval;      // 95 %; or, of too few samples, the range of what was seen
  bool is_range = false;  // the latter
  size_t n = 0;
};

// REQUIRES: sorted, not empty; q in [0, 1]. Linear between two values (R's type 7).
[[nodiscard]] double quantile(std::span<const double> sorted, double q);

// REQUIRES: not empty.
[[nodiscard]] double median(std::vector<double> values);

// The median distance from the median, unscaled. REQUIRES: not empty.
[[nodiscard]] double median_absolute_deviation(std::vector<double> values);

// The median with its percentile-bootstrap interval; nullopt without samples. (BCa's acceleration
// comes from a jackknife, which is inconsistent for medians: Efron and Tibshirani 1993, 11.6.)
[[nodiscard]] std::optional<Estimate> estimate_median(std::span<const double> values);

// median(of) / median(to) of independent samples, both resampled; n is the smaller number.
// nullopt where one is empty or the median of `to` is not above zero.
[[nodiscard]] std::optional<Estimate> estimate_ratio(std::span<const double> of,
                                                     std::span<const double> to);

// Two-sided sign test: the chance that so many of `values` lie on one side of `centre` if each side
// is equally likely. Exact; values equal to `centre` don't count. 1 without values.
[[nodiscard]] double sign_test_p(std::span<const double> values, double centre);

// Two-sided Mann-Whitney test: the chance that samples of one distribution differ by so many ranks.
// Exact for small samples without ties, else the normal approximation with continuity and tie
// correction. 1 where one is empty.
[[nodiscard]] double mann_whitney_p(std::span<const double> a, std::span<const double> b);

// Which values lie further from the median than 3.5 scaled MADs (Iglewicz and Hoaglin 1993). The
// scale is at least 1 % of the median, so that values quantised by a clock make no outliers.
[[nodiscard]] std::vector<bool> find_outliers(std::span<const double> values);

}  // namespace strata::bench
