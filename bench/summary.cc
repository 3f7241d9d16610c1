#include "bench/summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "bench/metric.h"

namespace strata::bench {
namespace {

constexpr double kSignificant = 0.05;

bool counts(const Sample& sample) {
  return sample.ok && !sample.warmup;
}

const double* find_metric(const Sample& sample, const std::string& metric) {
  const auto found = sample.metrics.find(metric);
  return found == sample.metrics.end() ? nullptr : &found->second;
}

// An interval that holds 1, or a test that chance passes, is no difference.
Verdict judge(const Estimate& ratio, double p) {
  if (p >= kSignificant || (ratio.interval.low <= 1 && ratio.interval.high >= 1))
    return Verdict::kNoDifference;
  return ratio.value < 1 ? Verdict::kLower : Verdict::kHigher;
}

std::optional<Comparison> compare_paired(const std::vector<double>& ratios) {
  const auto ratio = estimate_median(ratios);
  if (!ratio) return std::nullopt;
  Comparison comparison{.ratio = *ratio, .p = sign_test_p(ratios, 1), .paired = true};
  if (!ratio->is_range) comparison.verdict = judge(*ratio, comparison.p);
  return comparison;
}

std::optional<Comparison> compare_to(const Document& document, const Row& row,
                                     const std::string& reference, const std::string& metric) {
  if (reference.empty() || row.target == reference) return std::nullopt;
  if (auto paired = compare_paired(paired_ratios(document, row.target, reference, metric)))
    return paired;
  return compare_unpaired(values_of(document, row.target, metric),
                          values_of(document, reference, metric));
}

std::optional<double> find_drift(const std::vector<double>& values) {
  constexpr size_t kFewest = 12;
  constexpr double kRare = 0.01;
  constexpr double kRelevant = 0.05;
  if (values.size() < kFewest) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  const std::vector<double> early(values.begin(), middle);
  const std::vector<double> late(middle, values.end());
  const double base = median(early);
  if (base <= 0) return std::nullopt;
  const double drift = median(late) / base;
  if (std::abs(drift - 1) < kRelevant || mann_whitney_p(early, late) >= kRare) return std::nullopt;
  return drift;
}

// `flags` are in the order of values_of().
std::vector<int> outlier_orders(const Document& document, const std::string& target,
                                const std::string& metric, const std::vector<bool>& flags) {
  std::vector<int> orders;
  size_t at = 0;
  for (const auto& sample : document.samples) {
    if (sample.target != target || !counts(sample) || find_metric(sample, metric) == nullptr)
      continue;
    if (flags[at++]) orders.push_back(sample.order);
  }
  return orders;
}

Row make_row(const Document& document, const std::string& target, const std::string& metric,
             const std::vector<double>& values, const std::string& reference) {
  Row row;
  row.target = target;
  row.median = *estimate_median(values);
  row.mad = median_absolute_deviation(values);
  auto sorted = values;
  std::sort(sorted.begin(), sorted.end());
  row.middle_half = {quantile(sorted, 0.25), quantile(sorted, 0.75)};
  row.range = {sorted.front(), sorted.back()};
  row.outliers = outlier_orders(document, target, metric, find_outliers(values));
  row.to_reference = compare_to(document, row, reference, metric);
  row.drift = find_drift(values);
  return row;
}

}  // namespace

Summary summarise(const Document& document, std::string_view reference) {
  Summary summary;
  summary.reference = reference.empty() ? document.run.reference : std::string(reference);
  if (find_target(document, summary.reference) == nullptr) summary.reference.clear();
  for (const auto& metric : metric_names(document)) {
    MetricSummary table{.metric = metric};
    for (const auto& target : document.targets) {
      const auto values = values_of(document, target.name, metric);
      if (values.empty()) continue;
      table.rows.push_back(make_row(document, target.name, metric, values, summary.reference));
    }
    if (!table.rows.empty()) summary.metrics.push_back(std::move(table));
  }
  return summary;
}

Counts count_samples(const Document& document, std::string_view target) {
  Counts result;
  for (const auto& sample : document.samples) {
    if (sample.target != target) continue;
    if (sample.warmup)
      ++result.warmups;
    else
      ++(sample.ok ? result.counted : result.failed);
  }
  return result;
}

std::vector<double> values_of(const Document& document, std::string_view target,
                              std::string_view metric) {
  const std::string key(metric);
  std::vector<double> values;
  for (const auto& sample : document.samples) {
    if (sample.target != target || !counts(sample)) continue;
    if (const double* value = find_metric(sample, key)) values.push_back(*value);
  }
  return values;
}

std::vector<double> paired_ratios(const Document& document, std::string_view target,
                                  std::string_view reference, std::string_view metric) {
  const std::string key(metric);
  std::map<int, double> base;
  for (const auto& sample : document.samples) {
    const double* value = find_metric(sample, key);
    if (sample.target == reference && counts(sample) && value != nullptr && *value > 0)
      base[sample.round] = *value;
  }
  std::vector<double> ratios;
  for (const auto& sample : document.samples) {
    const double* value = find_metric(sample, key);
    if (sample.target != target || !counts(sample) || value == nullptr) continue;
    if (const auto pair = base.find(sample.round); pair != base.end())
      ratios.push_back(*value / pair->second);
  }
  return ratios;
}

std::optional<Comparison> compare_unpaired(const std::vector<double>& of,
                                           const std::vector<double>& to) {
  const auto ratio = estimate_ratio(of, to);
  if (!ratio) return std::nullopt;
  Comparison comparison{.ratio = *ratio, .p = mann_whitney_p(of, to)};
  if (!ratio->is_range) comparison.verdict = judge(*ratio, comparison.p);
  return comparison;
}

std::vector<std::string> differences(const Context& a, const Context& b) {
  std::vector<std::string> lines;
  const auto check = [&](const char* what, const std::string& of_a, const std::string& of_b) {
    const auto shown = [](const std::string& value) { return value.empty() ? "unknown" : value; };
    if (of_a != of_b)
      lines.push_back(std::string(what) + ": " + shown(of_a) + " and " + shown(of_b));
  };
  check("kernel", a.kernel.release, b.kernel.release);
  check("CPU", a.cpu.model, b.cpu.model);
  check("number of CPUs", std::to_string(a.cpu.logical_count), std::to_string(b.cpu.logical_count));
  check("governor", a.cpu.governor, b.cpu.governor);
  check("virtualisation", a.virtualisation, b.virtualisation);
  check("cgroups", a.cgroup_mode, b.cgroup_mode);
  check("file system of the store", a.store.file_system, b.store.file_system);
  check("operating system", a.operating_system, b.operating_system);
  check("Strata", a.strata_version, b.strata_version);
  check("build", a.build_type, b.build_type);
  if (a.cpu.mitigations != b.cpu.mitigations) lines.emplace_back("CPU mitigations");
  return lines;
}

}  // namespace strata::bench
