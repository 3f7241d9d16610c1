#include "bench/stats.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <random>
#include <utility>

namespace strata::bench {
namespace {

constexpr int kResamples = 2000;
constexpr uint64_t kBootstrapSeed = 0x5742'0000'0001;

bool counts(const Sample& sample) {
  return sample.ok && !sample.warmup;
}

}  // namespace

double quantile(std::span<const double> sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], at - std::floor(at));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

std::optional<Estimate> estimate_median(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  std::mt19937_64 random(kBootstrapSeed);
  std::vector<double> medians(kResamples);
  std::vector<double> resample(values.size());
  for (double& m : medians) {
    for (double& v : resample) v = values[random() % values.size()];
    m = median(resample);
  }
  std::sort(medians.begin(), medians.end());
  return Estimate{
      median(values), {quantile(medians, 0.025), quantile(medians, 0.975)}, values.size()};
}

double mann_whitney_p(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.empty() || b.empty()) return 1;
  std::vector<std::pair<double, bool>> all;
  for (const double v : a) all.emplace_back(v, true);
  for (const double v : b) all.emplace_back(v, false);
  std::sort(all.begin(), all.end());
  const auto n1 = static_cast<double>(a.size());
  const auto n2 = static_cast<double>(b.size());
  const double n = n1 + n2;
  double rank_sum = 0;
  double ties = 0;
  for (size_t i = 0; i < all.size();) {
    size_t j = i;
    while (j < all.size() && all[j].first == all[i].first) ++j;
    const auto t = static_cast<double>(j - i);
    const double rank = (static_cast<double>(i + j) + 1) / 2;  // the mean of ranks i+1 … j
    for (size_t k = i; k < j; ++k) rank_sum += all[k].second ? rank : 0;
    ties += t * t * t - t;
    i = j;
  }
  const double u = rank_sum - n1 * (n1 + 1) / 2;
  const double variance = n1 * n2 / 12 * (n + 1 - ties / (n * (n - 1)));
  if (variance <= 0) return 1;
  const double z = std::max(0.0, std::abs(u - n1 * n2 / 2) - 0.5) / std::sqrt(variance);
  return std::erfc(z / std::numbers::sqrt2);
}

std::vector<double> values_of(const Document& document, std::string_view target,
                              std::string_view metric) {
  std::vector<double> values;
  for (const auto& sample : document.samples) {
    if (sample.target != target || !counts(sample)) continue;
    if (const auto it = sample.metrics.find(std::string(metric)); it != sample.metrics.end())
      values.push_back(it->second);
  }
  return values;
}

std::optional<Estimate> paired_ratio(const Document& document, std::string_view target,
                                     std::string_view reference, std::string_view metric) {
  const std::string key(metric);
  std::map<int, double> base;
  for (const auto& sample : document.samples)
    if (sample.target == reference && counts(sample) && sample.metrics.contains(key))
      base[sample.round] = sample.metrics.at(key);
  std::vector<double> ratios;
  for (const auto& sample : document.samples) {
    if (sample.target != target || !counts(sample) || !sample.metrics.contains(key)) continue;
    const auto pair = base.find(sample.round);
    if (pair != base.end() && pair->second > 0)
      ratios.push_back(sample.metrics.at(key) / pair->second);
  }
  return estimate_median(ratios);
}

}  // namespace strata::bench
