#include "bench/stats.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <utility>

namespace strata::bench {
namespace {

constexpr size_t kResamples = 4000;
constexpr uint64_t kSeed = 0x73747261'7461;  // fixed: the same samples, the same interval

// SplitMix64 (Steele, Lea, Flood 2014). Of our own, since the distributions of <random> differ
// between standard libraries.
class Random {
 public:
  // A number below `limit`, uniform but for less than 2^-32. REQUIRES: 0 < limit < 2^32.
  size_t below(size_t limit) { return static_cast<size_t>(((next() >> 32U) * limit) >> 32U); }

 private:
  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }
  uint64_t state_ = kSeed;
};

// The median, reordering `values`.
double median_in_place(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

// Draws samples of the same size from a sample, with replacement, and takes their medians. Draws
// are counted per value of the sorted sample, which is quicker than collecting and sorting them.
class Resampler {
 public:
  explicit Resampler(std::span<const double> values)
      : sorted_(values.begin(), values.end()), draws_(values.size()) {
    std::sort(sorted_.begin(), sorted_.end());
  }

  double median(Random& random) {
    std::fill(draws_.begin(), draws_.end(), 0);
    for (size_t i = 0; i < sorted_.size(); ++i) ++draws_[random.below(sorted_.size())];
    const size_t upper = sorted_.size() / 2;
    if (sorted_.size() % 2 == 1) return drawn(upper);
    return std::midpoint(drawn(upper - 1), drawn(upper));
  }

 private:
  // The drawn value of that rank.
  [[nodiscard]] double drawn(size_t rank) const {
    size_t at = 0;
    for (size_t seen = draws_[0]; seen <= rank; seen += draws_[at]) ++at;
    return sorted_[at];
  }

  std::vector<double> sorted_;
  std::vector<size_t> draws_;
};

Interval middle_95(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.025), quantile(values, 0.975)};
}

// The number of ways to place n1 of n1 + n2 ranks for every value of U, the coefficients of the
// Gaussian binomial. Sums stay far below 2^53 for the sizes it is used for.
std::vector<double> arrangements(size_t n1, size_t n2) {
  std::vector<double> ways(n1 * n2 + 1, 0);
  ways[0] = 1;
  for (size_t i = 1; i <= n1; ++i) {
    for (size_t u = ways.size(); u-- > n2 + i;) ways[u] -= ways[u - n2 - i];
    for (size_t u = i; u < ways.size(); ++u) ways[u] += ways[u - i];
  }
  return ways;
}

double exact_p(double u, size_t n1, size_t n2) {
  const auto ways = arrangements(n1, n2);
  const auto smaller = static_cast<size_t>(std::min(u, static_cast<double>(n1 * n2) - u));
  double tail = 0;
  double all = 0;
  for (size_t i = 0; i < ways.size(); ++i) {
    all += ways[i];
    if (i <= smaller) tail += ways[i];
  }
  return std::min(1.0, 2 * tail / all);
}

double normal_p(double u, double n1, double n2, double ties) {
  const double n = n1 + n2;
  const double variance = n1 * n2 / 12 * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return 1;  // all values are equal
  const double z = std::max(0.0, std::abs(u - n1 * n2 / 2) - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::numbers::sqrt2);
}

}  // namespace

double quantile(std::span<const double> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - std::floor(at));
}

double median(std::vector<double> values) {
  return median_in_place(values);
}

double median_absolute_deviation(std::vector<double> values) {
  const double centre = median_in_place(values);
  for (double& value : values) value = std::abs(value - centre);
  return median_in_place(values);
}

std::optional<Estimate> estimate_median(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  Estimate estimate{.value = median({values.begin(), values.end()}), .n = values.size()};
  if (values.size() < kFewestForInterval) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    estimate.interval = {*low, *high};
    estimate.is_range = true;
    return estimate;
  }
  Random random;
  Resampler resampler(values);
  std::vector<double> medians(kResamples);
  for (double& value : medians) value = resampler.median(random);
  estimate.interval = middle_95(medians);
  return estimate;
}

std::optional<Estimate> estimate_ratio(std::span<const double> of, std::span<const double> to) {
  if (of.empty() || to.empty()) return std::nullopt;
  const double base = median({to.begin(), to.end()});
  if (base <= 0) return std::nullopt;
  Estimate estimate{.value = median({of.begin(), of.end()}) / base,
                    .n = std::min(of.size(), to.size())};
  const auto [low_of, high_of] = std::minmax_element(of.begin(), of.end());
  const auto [low_to, high_to] = std::minmax_element(to.begin(), to.end());
  if (*low_to <= 0) return std::nullopt;
  estimate.is_range = estimate.n < kFewestForInterval;
  if (estimate.is_range) {
    estimate.interval = {*low_of / *high_to, *high_of / *low_to};
    return estimate;
  }
  Random random;
  Resampler numerators(of);
  Resampler denominators(to);
  std::vector<double> ratios(kResamples);
  for (double& ratio : ratios) {
    const double numerator = numerators.median(random);
    ratio = numerator / denominators.median(random);
  }
  estimate.interval = middle_95(ratios);
  return estimate;
}

double sign_test_p(std::span<const double> values, double centre) {
  const auto above =
      std::count_if(values.begin(), values.end(), [&](double value) { return value > centre; });
  const auto below =
      std::count_if(values.begin(), values.end(), [&](double value) { return value < centre; });
  const auto n = static_cast<double>(above + below);
  const auto fewer = std::min(above, below);
  double tail = 0;
  for (std::ptrdiff_t i = 0; i <= fewer; ++i) {
    const auto k = static_cast<double>(i);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) -
                     n * std::numbers::ln2);
  }
  return std::min(1.0, 2 * tail);
}

double mann_whitney_p(std::span<const double> a, std::span<const double> b) {
  constexpr size_t kLargestExact = 40;
  if (a.empty() || b.empty()) return 1;
  std::vector<std::pair<double, bool>> all;
  for (const double value : a) all.emplace_back(value, true);
  for (const double value : b) all.emplace_back(value, false);
  std::sort(all.begin(), all.end());
  double rank_sum = 0;  // of a
  double ties = 0;
  for (size_t i = 0; i < all.size();) {
    size_t j = i;
    while (j < all.size() && all[j].first == all[i].first) ++j;
    const double mean_rank = static_cast<double>(i + 1 + j) / 2;
    for (size_t k = i; k < j; ++k) rank_sum += all[k].second ? mean_rank : 0;
    const auto equal = static_cast<double>(j - i);
    ties += equal * equal * equal - equal;
    i = j;
  }
  const auto n1 = static_cast<double>(a.size());
  const double u = rank_sum - n1 * (n1 + 1) / 2;
  if (ties == 0 && all.size() <= kLargestExact) return exact_p(u, a.size(), b.size());
  return normal_p(u, n1, static_cast<double>(b.size()), ties);
}

std::vector<bool> find_outliers(std::span<const double> values) {
  if (values.empty()) return {};
  constexpr double kLimit = 3.5;
  constexpr double kNormal = 1.4826;  // makes a MAD the deviation of a normal distribution
  constexpr double kResolution = 0.01;
  const std::vector<double> copy(values.begin(), values.end());
  const double centre = median(copy);
  const double scale =
      std::max(kNormal * median_absolute_deviation(copy), kResolution * std::abs(centre));
  std::vector<bool> outliers(values.size());
  std::transform(values.begin(), values.end(), outliers.begin(),
                 [&](double value) { return std::abs(value - centre) > kLimit * scale; });
  return outliers;
}

}  // namespace strata::bench
