#include "bench/export/table.h"

#include <algorithm>
#include <set>
#include <vector>

#include "bench/export/format.h"
#include "bench/metric.h"
#include "bench/summary.h"

namespace strata::bench {
namespace {

constexpr int kBold = 1;
constexpr int kDim = 2;
constexpr int kRed = 31;
constexpr int kYellow = 33;

class Table {
 public:
  Table(const Document& document, const TableOptions& options)
      : document_(document),
        summary_(summarise(document, options.reference)),
        style_{.colour = options.colour, .unicode = options.unicode} {}

  std::string print() {
    std::string text;
    bool first = true;
    for (const auto& metric : summary_.metrics) {
      if (!is_headline(metric.metric)) continue;
      text += (first ? "" : "\n") + block(metric, first);
      first = false;
    }
    if (first) text += "no trial gave a figure\n";
    const std::string remarks = notes();
    if (!remarks.empty()) text += "\n" + remarks;
    const std::string left_out = missing();
    if (!left_out.empty()) text += "\n" + left_out;
    return text;
  }

 private:
  [[nodiscard]] std::string line(int sgr, const std::string& text) const {
    return styled(style_, sgr, spelt(style_, printable(text))) + "\n";
  }
  std::string block(const MetricSummary& metric, bool first);
  std::vector<TextGrid::Cell> row(const MetricSummary& metric, const Row& row, bool first);
  [[nodiscard]] std::string peak_memory(const std::string& target) const;
  [[nodiscard]] std::string notes() const;
  [[nodiscard]] std::string missing() const;

  const Document& document_;
  const Summary summary_;
  const TextStyle style_;
  bool has_ranges_ = false;
};

std::string Table::block(const MetricSummary& metric, bool first) {
  const bool has_ratios = !summary_.reference.empty() && metric.rows.size() > 1;
  TextGrid grid(style_, {"<target", "n", "median", "<95 % interval",
                         has_ratios ? "ratio to " + summary_.reference : "", "<95 %", "peak memory",
                         "failed"});
  for (const auto& entry : metric.rows) grid.add(row(metric, entry, first));
  return line(kBold, metric_title(metric.metric)) + grid.print();
}

std::vector<TextGrid::Cell> Table::row(const MetricSummary& metric, const Row& row, bool first) {
  const Target& target = *find_target(document_, row.target);
  const size_t failed = count_samples(document_, row.target).failed;
  const bool is_range = row.median.is_range;
  has_ranges_ = has_ranges_ || is_range;
  const auto& comparison = row.to_reference;
  const bool is_reference = row.target == summary_.reference;
  return {{target_label(target), is_reference ? kBold : 0},
          {std::to_string(row.median.n)},
          {format_value(metric.metric, row.median.value), kBold},
          {format_interval(metric.metric, row.median.interval) + (is_range ? " *" : ""), kDim},
          {is_reference ? "1"
           : comparison ? format_ratio(comparison->ratio.value)
                        : ""},
          {comparison ? format_ratio_interval(comparison->ratio.interval) +
                            (comparison->ratio.is_range ? " *" : "")
                      : "",
           kDim},
          {first ? peak_memory(row.target) : ""},
          {first && failed > 0 ? std::to_string(failed) : "", kRed}};
}

std::string Table::peak_memory(const std::string& target) const {
  const auto values = values_of(document_, target, metric::kPeakRss);
  return values.empty() ? "" : format_value(metric::kPeakRss, median(values));
}

std::string Table::notes() const {
  std::string text;
  const auto& targets = document_.targets;
  if (std::any_of(targets.begin(), targets.end(),
                  [](const Target& target) { return target.accelerator == "tcg"; }))
    text += line(kYellow,
                 "tcg: the guest's CPU was emulated in software (QEMU TCG); those rows say nothing "
                 "about a VM on hardware virtualisation.");
  if (has_ranges_)
    text += line(kDim, "*: fewer than " + std::to_string(kFewestForInterval) +
                           " trials; smallest and largest in place of a 95 % interval.");
  std::set<std::string> noted;
  for (const auto& metric : summary_.metrics) {
    for (const auto& row : metric.rows) {
      if (!is_headline(metric.metric) || !row.drift || !noted.insert(row.target).second) continue;
      text += line(kYellow, "drift: " + metric_title(metric.metric) + " of " + row.target +
                                " changed by " + format_change(*row.drift) +
                                " from the first to the second half of the run.");
    }
  }
  return text;
}

std::string Table::missing() const {
  std::string text;
  for (const auto& target : document_.targets) {
    if (target.availability == Availability::kSkipped)
      text += line(kYellow, "skipped " + target.name + ": " + target.reason);
    else if (target.availability == Availability::kFailed)
      text += line(kRed, "failed " + target.name + ": " + target.reason);
    else if (!target.reason.empty())
      text += line(kRed, target.name + ": " + target.reason);
  }
  for (const auto& skip : document_.skipped)
    text += line(kYellow, "skipped " + skip.what + ": " + skip.reason);
  return text;
}

}  // namespace

std::string to_table(const Document& document, const TableOptions& options) {
  return Table(document, options).print();
}

}  // namespace strata::bench
