#include "bench/google_benchmark.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace strata::bench {
namespace {

Result<double> unit_ns(const std::string& unit, std::string_view name) {
  constexpr std::array<std::pair<std::string_view, double>, 4> kUnits{
      {{"ns", 1.0}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}}};
  for (const auto& [symbol, ns] : kUnits)
    if (unit == symbol) return ns;
  return fail(EINVAL, std::string(name) + ": time_unit: unknown unit '" + unit + "'");
}

// What the library itself writes beside the user's counters.
bool is_own_field(std::string_view field) {
  constexpr std::array kFields{"family_index", "per_family_instance_index",
                               "repetitions",  "repetition_index",
                               "threads",      "iterations",
                               "real_time",    "cpu_time"};
  return std::find(kFields.begin(), kFields.end(), field) != kFields.end();
}

std::string counter_name(const std::string& name) {
  for (const std::string_view unit : {"_ns", "_bytes", "_count", "_per_second"})
    if (name.ends_with(unit)) return name;
  return name + "_count";
}

Result<double> get_amount(const Json& row, const char* field, std::string_view name) {
  STRATA_TRY(const double value, json_get<double>(row, field, -1, name));
  if (value >= 0) return value;
  const bool is_there = row.contains(field) && !row[field].is_null();
  return fail(EINVAL,
              std::string(name) + ": " + field + (is_there ? ": is negative" : ": missing"));
}

Result<Sample> read_sample(const Json& row, std::string_view name) {
  Sample sample;
  STRATA_TRY(sample.target, json_get<std::string>(row, "run_name", "", name));
  if (sample.target.empty()) {  // before version 1.5
    STRATA_TRY(sample.target, json_get<std::string>(row, "name", "", name));
  }
  if (sample.target.empty()) return fail(EINVAL, std::string(name) + ": a benchmark has no name");
  STRATA_TRY(sample.round, json_get<int>(row, "repetition_index", 0, name));
  STRATA_TRY(const bool failed, json_get<bool>(row, "error_occurred", false, name));
  if (failed) {
    sample.ok = false;
    STRATA_TRY(sample.error, json_get<std::string>(row, "error_message", "failed", name));
    return sample;
  }
  STRATA_TRY(const std::string unit, json_get<std::string>(row, "time_unit", "ns", name));
  STRATA_TRY(const double scale, unit_ns(unit, name));
  STRATA_TRY(const double wall, get_amount(row, "real_time", name));
  STRATA_TRY(const double cpu, get_amount(row, "cpu_time", name));
  STRATA_TRY(const double iterations, get_amount(row, "iterations", name));
  sample.metrics = {
      {metric::kWall, wall * scale}, {metric::kCpu, cpu * scale}, {"iterations_count", iterations}};
  for (const auto& [field, value] : row.items())
    if (value.is_number() && !is_own_field(field))
      sample.metrics[counter_name(field)] = value.get<double>();
  return sample;
}

Result<void> read_context(const Json& json, std::string_view name, Document& document) {
  const Json context = json.value("context", Json::object());
  if (!context.is_object()) return fail(EINVAL, std::string(name) + ": context: not an object");
  auto& run = document.run;
  STRATA_TRY(const std::string program, json_get<std::string>(context, "executable", "", name));
  run.suite = std::filesystem::path(program).filename().string();
  if (run.suite.empty()) run.suite = "benchmark";
  run.label = "Google Benchmark";
  run.command_line = {program};
  STRATA_TRY(run.start_utc, json_get<std::string>(context, "date", "", name));
  run.id = run.start_utc + "-" + run.suite;
  STRATA_TRY(document.context.cpu.logical_count, json_get<int>(context, "num_cpus", 0, name));
  STRATA_TRY(document.context.build_type,
             json_get<std::string>(context, "library_build_type", "", name));
  const Json load = context.value("load_avg", Json::array());
  if (load.is_array() && !load.empty() && load.front().is_number())
    document.context.load_average_1m = load.front().get<double>();
  return {};
}

void add_sample(Document& document, Sample sample) {
  const auto same_name = [&](const Target& target) { return target.name == sample.target; };
  auto target = std::find_if(document.targets.begin(), document.targets.end(), same_name);
  if (target == document.targets.end()) {
    Target added;
    added.name = sample.target;
    added.kind = "benchmark";
    added.argv = document.run.command_line;
    target = document.targets.insert(target, std::move(added));
  }
  ++target->trials;
  document.run.trials = std::max(document.run.trials, target->trials);
  if (!sample.ok) {
    target->availability = Availability::kFailed;
    target->reason = sample.error;
  }
  sample.order = static_cast<int>(document.samples.size());
  document.samples.push_back(std::move(sample));
}

}  // namespace

bool is_google_benchmark(const Json& json) {
  return json.is_object() && json.contains("benchmarks") && json["benchmarks"].is_array() &&
         !json.contains("schema_version");
}

Result<Document> from_google_benchmark(const Json& json, std::string_view name) {
  Document document;
  STRATA_CHECK(read_context(json, name, document));
  const Json& rows = json["benchmarks"];
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string place = std::string(name) + ": benchmarks[" + std::to_string(i) + "]";
    STRATA_TRY(const std::string type,
               json_get<std::string>(rows[i], "run_type", "iteration", place));
    if (type == "aggregate") continue;
    STRATA_TRY(Sample sample, read_sample(rows[i], place));
    add_sample(document, std::move(sample));
  }
  if (document.samples.empty())
    return fail(EINVAL, std::string(name) + ": benchmarks: there are no measurements");
  return document;
}

}  // namespace strata::bench
