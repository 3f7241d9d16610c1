#include "bench/report/page_data.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "bench/export/csv.h"
#include "bench/export/format.h"
#include "bench/metric.h"
#include "bench/report/assets.h"
#include "bench/summary.h"
#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

std::string dump(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTooFew:
      return "too-few";
    case Verdict::kNoDifference:
      return "none";
    case Verdict::kLower:
      return "lower";
    case Verdict::kHigher:
      break;
  }
  return "higher";
}

OrderedJson comparison_json(std::string_view metric, const Comparison& comparison) {
  const Estimate& ratio = comparison.ratio;
  return {{"value", ratio.value},
          {"low", ratio.interval.low},
          {"high", ratio.interval.high},
          {"n", ratio.n},
          {"is_range", ratio.is_range},
          {"p", comparison.p},
          {"paired", comparison.paired},
          {"text", format_ratio(ratio.value)},
          {"interval_text", format_ratio_interval(ratio.interval)},
          {"change_text", format_change(ratio.value)},
          {"change_interval_text", format_change_interval(ratio.interval)},
          {"verdict", verdict_name(comparison.verdict)},
          {"verdict_text", verdict_text(metric, comparison.verdict)}};
}

OrderedJson estimate_json(std::string_view metric, const Estimate& estimate) {
  return {{"n", estimate.n},
          {"median", estimate.value},
          {"low", estimate.interval.low},
          {"high", estimate.interval.high},
          {"is_range", estimate.is_range},
          {"text", format_value(metric, estimate.value)},
          {"interval_text", format_interval(metric, estimate.interval)}};
}

OrderedJson row_json(std::string_view metric, const Row& row) {
  OrderedJson json = estimate_json(metric, row.median);
  json["target"] = row.target;
  json["mad_text"] = format_value(metric, row.mad);
  json["middle_half_text"] = format_interval(metric, row.middle_half);
  json["range_text"] = format_interval(metric, row.range);
  json["outliers"] = row.outliers;
  json["ratio"] = nullptr;
  if (row.to_reference) json["ratio"] = comparison_json(metric, *row.to_reference);
  return json;
}

OrderedJson metric_json(const std::string& name) {
  constexpr std::pair<Unit, const char*> kUnits[]{{Unit::kNanoseconds, "ns"},
                                                  {Unit::kBytes, "bytes"},
                                                  {Unit::kPerSecond, "per_second"},
                                                  {Unit::kCount, "count"}};
  OrderedJson json{{"name", name},
                   {"title", metric_title(name)},
                   {"description", metric_description(name)},
                   {"headline", is_headline(name)},
                   {"higher_is_better", higher_is_better(name)}};
  for (const auto& [unit, text] : kUnits)
    if (unit == unit_of(name)) json["unit"] = text;
  return json;
}

OrderedJson targets_json(const Document& document) {
  OrderedJson json = OrderedJson::array();
  for (const auto& target : document.targets) {
    const Counts counts = count_samples(document, target.name);
    json.push_back({{"name", target.name},
                    {"label", target_label(target)},
                    {"kind", target.kind},
                    {"accelerator", target.accelerator},
                    {"counted", counts.counted},
                    {"failed", counts.failed},
                    {"warmups", counts.warmups}});
  }
  return json;
}

// What a reader must know before believing a figure.
std::vector<std::string> notes_of(const Document& document, const Summary& summary) {
  std::vector<std::string> notes;
  const Context& context = document.context;
  if (!context.build_type.empty() && context.build_type != "Release" &&
      !context.strata_version.empty())
    notes.push_back("Strata was built as “" + context.build_type +
                    "”: its own figures here are not those of a release build.");
  if (context.cpu.logical_count > 0 && context.load_average_1m > 0.5 * context.cpu.logical_count)
    notes.push_back("The machine was busy before the run (load average " +
                    format_value("", context.load_average_1m) + " on " +
                    std::to_string(context.cpu.logical_count) +
                    " CPUs): absolute figures are high; the ratios within a round suffer less.");
  if (document.run.end_utc.empty() && document.run.seed != 0)
    notes.emplace_back("The run did not come to its end: this is what was measured until then.");
  std::set<std::string> drifted;
  for (const auto& metric : summary.metrics) {
    for (const auto& row : metric.rows)
      if (is_headline(metric.metric) && row.drift && drifted.insert(row.target).second)
        notes.push_back("Drift: " + metric_title(metric.metric) + " of " + row.target +
                        " changed by " + format_change(*row.drift) +
                        " from the first to the second half of the run.");
  }
  return notes;
}

// A document's part of the data, as text: the document itself stands in it as it was written.
std::string run_data(const Document& document, const ReportOptions& options) {
  const Summary summary = summarise(document, options.reference);
  OrderedJson metrics = OrderedJson::array();
  for (const auto& metric : summary.metrics) {
    OrderedJson json = metric_json(metric.metric);
    json["rows"] = OrderedJson::array();
    for (const auto& row : metric.rows) json["rows"].push_back(row_json(metric.metric, row));
    metrics.push_back(std::move(json));
  }
  const OrderedJson view{{"title", run_title(document.run)},
                         {"file_name", document_path(document.run).stem().string()},
                         {"csv", to_csv(document)},
                         {"reference", summary.reference},
                         {"targets", targets_json(document)},
                         {"metrics", std::move(metrics)},
                         {"notes", notes_of(document, summary)}};
  std::string text = dump(view);
  text.pop_back();
  return text + ",\"document\":" + to_json(document) + "}";
}

std::vector<Target> targets_of_all(std::span<const Document> documents) {
  std::vector<Target> all;
  for (const auto& document : documents)
    for (const auto& target : document.targets) {
      const auto same = [&](const Target& other) { return other.name == target.name; };
      if (std::none_of(all.begin(), all.end(), same)) all.push_back(target);
    }
  return all;
}

// A target's value in one run, compared with that in the first; null if it has none.
OrderedJson cell_json(std::span<const Document> documents, size_t run, const std::string& target,
                      const std::string& metric) {
  const auto values = values_of(documents[run], target, metric);
  const auto estimate = estimate_median(values);
  if (!estimate) return nullptr;
  OrderedJson json = estimate_json(metric, *estimate);
  json["label"] = target_label(*find_target(documents[run], target));
  json["change"] = nullptr;
  if (run == 0) return json;
  if (const auto change = compare_unpaired(values, values_of(documents[0], target, metric)))
    json["change"] = comparison_json(metric, *change);
  return json;
}

OrderedJson compared_metric_json(std::span<const Document> documents, const std::string& metric) {
  OrderedJson json = metric_json(metric);
  json["rows"] = OrderedJson::array();
  for (const auto& target : targets_of_all(documents)) {
    OrderedJson cells = OrderedJson::array();
    for (size_t run = 0; run < documents.size(); ++run)
      cells.push_back(cell_json(documents, run, target.name, metric));
    const auto has_value = [](const OrderedJson& cell) { return !cell.is_null(); };
    if (std::any_of(cells.begin(), cells.end(), has_value))
      json["rows"].push_back({{"target", target.name}, {"kind", target.kind}, {"cells", cells}});
  }
  return json;
}

OrderedJson all_compared_json(std::span<const Document> documents) {
  if (documents.size() < 2) return nullptr;
  OrderedJson differing = OrderedJson::array();
  for (const auto& document : documents.subspan(1))
    differing.push_back(differences(documents[0].context, document.context));
  std::vector<std::string> names;
  for (const auto& document : documents)
    for (const auto& name : metric_names(document))
      if ((is_headline(name) || name == metric::kPeakRss) &&
          std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  OrderedJson metrics = OrderedJson::array();
  for (const auto& name : names) metrics.push_back(compared_metric_json(documents, name));
  return {{"differences", differing}, {"metrics", metrics}};
}

}  // namespace

std::string run_title(const Run& run) {
  // "2026-01-31T12:00:00Z" to "2026-01-31 12:00 UTC"; what looks otherwise stays as it is.
  std::string when = run.start_utc;
  if (when.size() == 20 && when[10] == 'T' && when.ends_with('Z'))
    when = when.substr(0, 10) + " " + when.substr(11, 5) + " UTC";
  return when + (run.label.empty() ? "" : ", " + run.label);
}

std::string page_data(std::span<const Document> documents, const ReportOptions& options) {
  std::string runs;
  for (const auto& document : documents)
    runs += (runs.empty() ? "" : ",") + run_data(document, options);
  return "{\"charts_missing\":" + dump(std::string(charts_missing())) +
         ",\"comparison\":" + dump(all_compared_json(documents)) + ",\"runs\":[" + runs + "]}";
}

}  // namespace strata::bench
