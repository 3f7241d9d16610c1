#include "bench/export/table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "bench/export/format.h"
#include "bench/stats.h"

namespace strata::bench {
namespace {

using Row = std::vector<std::string>;

// Code points, not bytes: "µs" is two columns wide.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
  }));
}

// The first column to the left, numbers to the right.
std::string lay_out(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  std::string text;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width_of(row[i]), ' ');
      line += i == 0 ? row[i] + pad : "  " + pad + row[i];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string bold(const TableOptions& options, const std::string& text) {
  return options.colour ? "\033[1m" + text + "\033[0m" : text;
}

std::string ascii(const TableOptions& options, std::string text) {
  if (options.unicode) return text;
  for (const auto& [from, to] : {std::pair{"µ", "u"}, {"–", "-"}, {"×", "x"}, {"…", "..."}})
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from))
      text.replace(at, std::string_view(from).size(), to);
  return text;
}

std::string ratio_text(const Estimate& ratio) {
  std::array<char, 96> text{};
  std::snprintf(text.data(), text.size(), "%.2f× [%.2f–%.2f]", ratio.value, ratio.interval.low,
                ratio.interval.high);
  return text.data();
}

std::string interval_text(const std::string& metric, const Interval& interval) {
  return format_value(metric, interval.low) + " – " + format_value(metric, interval.high);
}

size_t failures_of(const Document& document, const Target& target) {
  return static_cast<size_t>(
      std::count_if(document.samples.begin(), document.samples.end(), [&](const Sample& sample) {
        return sample.target == target.name && !sample.ok && !sample.warmup;
      }));
}

Row metric_row(const Document& document, const Target& target, const std::string& metric,
               const std::string& reference, const Estimate& estimate) {
  Row row{target_label(target), std::to_string(estimate.n), format_value(metric, estimate.value),
          interval_text(metric, estimate.interval)};
  const auto ratio = paired_ratio(document, target.name, reference, metric);
  row.push_back(target.name == reference ? "1" : ratio ? ratio_text(*ratio) : "");
  const size_t failures = failures_of(document, target);
  row.push_back(failures == 0 ? "" : std::to_string(failures));
  return row;
}

std::vector<std::string> metrics_of(const Document& document) {
  std::vector<std::string> wanted;
  for (const char* name : {metric::kFirstByte, metric::kExit, metric::kPeakRss, metric::kWall})
    for (const auto& sample : document.samples)
      if (sample.metrics.contains(name)) {
        wanted.emplace_back(name);
        break;
      }
  return wanted;
}

std::string metric_block(const Document& document, const std::string& metric,
                         const TableOptions& options, const std::string& reference) {
  std::vector<Row> rows{{"target", "n", "median", "95 % interval",
                         reference.empty() ? "" : "ratio to " + reference, "failed"}};
  for (const auto& target : document.targets)
    if (const auto estimate = estimate_median(values_of(document, target.name, metric)))
      rows.push_back(metric_row(document, target, metric, reference, *estimate));
  if (rows.size() == 1) return "";
  return bold(options, metric_title(metric)) + "\n" + lay_out(rows) + "\n";
}

}  // namespace

std::string to_table(const Document& document, const TableOptions& options) {
  const std::string& reference =
      options.reference.empty() ? document.run.reference : options.reference;
  std::string text;
  for (const auto& metric : metrics_of(document))
    text += metric_block(document, metric, options, reference);
  for (const auto& target : document.targets) {
    if (target.accelerator == "tcg") {
      text += "tcg is software emulation: those rows say nothing about hardware VMs.\n";
      break;
    }
  }
  for (const auto& target : document.targets) {
    if (target.availability == Availability::kRan) continue;
    text += (target.availability == Availability::kSkipped ? "skipped " : "failed ") + target.name +
            ": " + target.reason + "\n";
  }
  for (const auto& skip : document.skipped)
    text += "skipped " + skip.what + ": " + skip.reason + "\n";
  return ascii(options, text);
}

std::string compare_table(const Document& a, const Document& b, const TableOptions& options) {
  constexpr double kSignificant = 0.05;
  std::string text;
  const auto differs = [&](const char* what, const std::string& of_a, const std::string& of_b) {
    if (of_a != of_b) text += std::string(what) + " differs: " + of_a + " / " + of_b + "\n";
  };
  differs("kernel", a.context.kernel.release, b.context.kernel.release);
  differs("CPU", a.context.cpu.model, b.context.cpu.model);
  differs("build", a.context.build_type, b.context.build_type);
  for (const auto& metric : metrics_of(a)) {
    std::vector<Row> rows{{"target", "A", "B", "B / A", "p", "verdict"}};
    for (const auto& target : a.targets) {
      const auto of_a = values_of(a, target.name, metric);
      const auto of_b = values_of(b, target.name, metric);
      if (of_a.empty() || of_b.empty()) continue;
      const double ratio = median(of_b) / median(of_a);
      const double p = mann_whitney_p(of_a, of_b);
      std::array<char, 32> ratio_digits{};
      std::array<char, 32> p_digits{};
      std::snprintf(ratio_digits.data(), ratio_digits.size(), "%.3f", ratio);
      std::snprintf(p_digits.data(), p_digits.size(), "%.3f", p);
      rows.push_back({target_label(target), format_value(metric, median(of_a)),
                      format_value(metric, median(of_b)), ratio_digits.data(), p_digits.data(),
                      p >= kSignificant ? "no difference seen"
                      : ratio < 1       ? "lower"
                                        : "higher"});
    }
    if (rows.size() > 1) text += bold(options, metric_title(metric)) + "\n" + lay_out(rows) + "\n";
  }
  return ascii(options, text.empty() ? "the documents have no target in common\n" : text);
}

}  // namespace strata::bench
