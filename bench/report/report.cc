#include "bench/report/report.h"

#include <algorithm>
#include <filesystem>

#include "bench/export/format.h"
#include "bench/stats.h"
#include "bench/summary.h"
#include "bench/metric.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

// Style, script and chart library stand beside the programs, installed or in the build tree.
Result<std::string> asset(const std::string& name) {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto path = self.parent_path().parent_path() / "share/strata/report" / name;
  auto text = read_file(path);
  if (!text) return fail_in("a part of the report page is missing", text.error());
  return text;
}

// JSON for a <script> element: no "<" can end it, whatever a name holds.
std::string script_json(const std::string& json) {
  std::string safe;
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string escape_html(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '&':
        safe += "&amp;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

OrderedJson interval_json(const std::optional<Estimate>& ratio) {
  if (!ratio) return nullptr;
  return {{"value", ratio->value}, {"low", ratio->interval.low}, {"high", ratio->interval.high}};
}

OrderedJson row_json(const Document& document, const Target& target, const std::string& metric,
                     const std::string& reference, const Estimate& estimate) {
  const auto ratio = estimate_median(paired_ratios(document, target.name, reference, metric));
  std::string ratio_text;
  if (ratio) {
    const auto digits = [](double value) { return format_value("", value); };
    ratio_text = digits(ratio->value) + "× [" + digits(ratio->interval.low) + "–" +
                 digits(ratio->interval.high) + "]";
  }
  const auto failures =
      std::count_if(document.samples.begin(), document.samples.end(), [&](const Sample& s) {
        return s.target == target.name && !s.ok && !s.warmup;
      });
  return {{"target", target.name},
          {"label", target_label(target)},
          {"n", estimate.n},
          {"median", estimate.value},
          {"low", estimate.interval.low},
          {"high", estimate.interval.high},
          {"text", format_value(metric, estimate.value)},
          {"interval_text", format_value(metric, estimate.interval.low) + " – " +
                                format_value(metric, estimate.interval.high)},
          {"ratio", interval_json(ratio)},
          {"ratio_text", target.name == reference ? "1" : ratio_text},
          {"failures", failures}};
}

OrderedJson summary_json(const Document& document, const ReportOptions& options) {
  const std::string& reference =
      options.reference.empty() ? document.run.reference : options.reference;
  OrderedJson metrics = OrderedJson::array();
  for (const char* name : {metric::kFirstByte, metric::kExit, metric::kPeakRss, metric::kWall}) {
    OrderedJson rows = OrderedJson::array();
    for (const auto& target : document.targets)
      if (const auto estimate = estimate_median(values_of(document, target.name, name)))
        rows.push_back(row_json(document, target, name, reference, *estimate));
    if (rows.empty()) continue;
    const bool time = std::string_view(name).ends_with("_ns");
    metrics.push_back({{"name", name},
                       {"title", metric_title(name)},
                       {"unit", time ? "ms" : "MB"},
                       {"factor", 1e6},
                       {"rows", rows}});
  }
  return {{"reference", reference}, {"metrics", metrics}};
}

std::string title_of(std::span<const Document> documents, const ReportOptions& options) {
  if (!options.title.empty()) return options.title;
  const Run& run = documents.front().run;
  return "Strata: " + run.suite + (run.label.empty() ? "" : ", " + run.label);
}

}  // namespace

Result<std::string> render_report(std::span<const Document> documents,
                                  const ReportOptions& options) {
  STRATA_TRY(const std::string css, asset("page.css"));
  STRATA_TRY(const std::string d3, asset("d3.min.js"));
  STRATA_TRY(const std::string plot, asset("plot.umd.min.js"));
  STRATA_TRY(const std::string script, asset("page.js"));
  std::string data;
  OrderedJson summaries = OrderedJson::array();
  for (const auto& document : documents) {
    data += (data.empty() ? "" : ",") + to_json(document);
    summaries.push_back(summary_json(document, options));
  }
  const std::string title = escape_html(title_of(documents, options));
  const auto json = [](const char* id, const std::string& text) {
    return "<script type=\"application/json\" id=\"" + std::string(id) + "\">" + script_json(text) +
           "</script>\n";
  };
  return "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" + title + "</title>\n"
         "<style>\n" + css + "</style>\n<body>\n<main><h1>" + title + "</h1>\n"
         "<p class=\"lead\">Trials were interleaved in an order drawn from a recorded seed. What is "
         "quoted is the median with its bootstrap interval, and ratios pair by pair.</p></main>\n" +
         json("data", "[" + data + "]") +
         json("summary", summaries.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)) +
         "<script>" + d3 + "</script>\n<script>" + plot + "</script>\n<script>\n" + script +
         "</script>\n</body>\n</html>\n";
}

}  // namespace strata::bench
