// compare_table() of table.h.

#include <vector>

#include "bench/export/format.h"
#include "bench/export/table.h"
#include "bench/export/text_grid.h"
#include "bench/metric.h"
#include "bench/summary.h"

namespace strata::bench {
namespace {

constexpr int kBold = 1;
constexpr int kDim = 2;
constexpr int kRed = 31;
constexpr int kGreen = 32;
constexpr int kYellow = 33;

std::string run_name(const Run& run) {
  return run.suite + ", " + run.start_utc + (run.label.empty() ? "" : ", " + run.label);
}

int verdict_colour(std::string_view metric, Verdict verdict) {
  if (verdict == Verdict::kLower) return higher_is_better(metric) ? kRed : kGreen;
  if (verdict == Verdict::kHigher) return higher_is_better(metric) ? kGreen : kRed;
  return kDim;
}

// Accelerators in both documents: an emulated guest is never quietly compared with another.
std::string pair_label(const Target& a, const Target& b) {
  if (a.accelerator == b.accelerator) return target_label(a);
  const auto shown = [](const Target& t) { return t.accelerator.empty() ? "?" : t.accelerator; };
  return a.name + " (" + shown(a) + " / " + shown(b) + ")";
}

std::string block(const Document& a, const Document& b, const std::string& metric,
                  const TextStyle& style) {
  TextGrid grid(style, {"<target", "n", "A", "n", "B", "change", "<95 %", "p", "<verdict"});
  bool empty = true;
  for (const auto& target : a.targets) {
    const Target* other = find_target(b, target.name);
    if (other == nullptr) continue;
    const auto of_a = values_of(a, target.name, metric);
    const auto of_b = values_of(b, target.name, metric);
    const auto comparison = compare_unpaired(of_b, of_a);
    if (!comparison) continue;
    empty = false;
    const auto& [ratio, p, verdict, paired] = *comparison;
    std::string chance = "<0.001";
    if (p >= 0.001) chance = std::to_string(p).substr(0, 5);
    grid.add({{pair_label(target, *other)},
              {std::to_string(of_a.size())},
              {format_value(metric, median(of_a))},
              {std::to_string(of_b.size())},
              {format_value(metric, median(of_b)), kBold},
              {format_change(ratio.value)},
              {format_change_interval(ratio.interval) + (ratio.is_range ? " *" : ""), kDim},
              {chance},
              {verdict_text(metric, verdict), verdict_colour(metric, verdict)}});
  }
  if (empty) return {};
  return styled(style, kBold, spelt(style, printable(metric_title(metric)))) + "\n" + grid.print();
}

std::string only_in_one(const Document& of, const Document& other, const char* name,
                        const TextStyle& style) {
  std::string text;
  for (const auto& target : of.targets)
    if (find_target(other, target.name) == nullptr)
      text += styled(style, kDim, printable("only in " + std::string(name) + ": " + target.name)) +
              "\n";
  return text;
}

}  // namespace

std::string compare_table(const Document& a, const Document& b, const TableOptions& options) {
  const TextStyle style{.colour = options.colour, .unicode = options.unicode};
  std::string text =
      printable("A: " + run_name(a.run)) + "\n" + printable("B: " + run_name(b.run)) + "\n";
  for (const auto& difference : differences(a.context, b.context))
    text += styled(style, kYellow, printable("not the same: " + difference)) + "\n";
  bool compared = false;
  for (const auto& metric : metric_names(a)) {
    if (!is_headline(metric) && metric != metric::kPeakRss) continue;
    const std::string table = block(a, b, metric, style);
    if (table.empty()) continue;
    text += "\n" + table;
    compared = true;
  }
  if (!compared) text += "\nno target has samples in both\n";
  return text + only_in_one(a, b, "A", style) + only_in_one(b, a, "B", style);
}

}  // namespace strata::bench
