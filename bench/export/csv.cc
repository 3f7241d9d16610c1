#include "bench/export/csv.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace strata::bench {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of("\",\r\n") == std::string::npos) return text;
  std::string field = "\"";
  for (const char c : text) {
    if (c == '"') field += '"';
    field += c;
  }
  return field + "\"";
}

std::string number(double value) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

// Start-up's metrics in their usual order, then what else there is, by name.
std::vector<std::string> metric_columns(const Document& document) {
  std::vector<std::string> found;
  for (const auto& sample : document.samples)
    for (const auto& [name, value] : sample.metrics)
      if (std::find(found.begin(), found.end(), name) == found.end()) found.push_back(name);
  std::sort(found.begin(), found.end());
  std::vector<std::string> columns;
  for (const char* name : {metric::kFirstByte, metric::kExit, metric::kGone, metric::kPeakRss,
                           metric::kUser, metric::kSystem})
    if (std::erase(found, name) > 0) columns.emplace_back(name);
  columns.insert(columns.end(), found.begin(), found.end());
  return columns;
}

}  // namespace

std::string to_csv(const Document& document) {
  const auto columns = metric_columns(document);
  std::string csv =
      "run_id,suite,label,start_utc,target,kind,accelerator,round,order,warmup,started_ns,"
      "exit_status,ok,error";
  for (const auto& column : columns) csv += "," + column;
  csv += "\r\n";
  for (const auto& sample : document.samples) {
    const Target* target = find_target(document, sample.target);
    csv += quoted(document.run.id) + "," + quoted(document.run.suite) + "," +
           quoted(document.run.label) + "," + document.run.start_utc + "," + quoted(sample.target) +
           "," + (target != nullptr ? target->kind + "," + target->accelerator : ",") + "," +
           std::to_string(sample.round) + "," + std::to_string(sample.order) + "," +
           (sample.warmup ? "true" : "false") + "," + std::to_string(sample.started_ns) + "," +
           std::to_string(sample.exit_status) + "," + (sample.ok ? "true" : "false") + "," +
           quoted(sample.error);
    for (const auto& column : columns) {
      csv += ",";
      if (const auto it = sample.metrics.find(column); it != sample.metrics.end())
        csv += number(it->second);
    }
    csv += "\r\n";
  }
  return csv;
}

}  // namespace strata::bench
