// JSON text to document. Files come from strangers and from other versions, so every field's type
// is checked and an error names its place: "run.json: samples[17].round: expected a whole number".

#include <limits>
#include <string>
#include <utility>

#include "bench/google_benchmark.h"
#include "bench/metric.h"
#include "bench/result.h"
#include "bench/result_fields.h"
#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

// Goes over one object; the first fault is kept and ends the work.
class Reader {
 public:
  Reader(const Json& json, std::string place, std::string& fault)
      : json_(json), place_(std::move(place)), fault_(fault) {
    if (!json.is_object()) expected("an object");
  }

  template <class T>
  void must(const char* name, T& value) {
    if (!fault_.empty()) return;
    const auto found = json_.find(name);
    if (found == json_.end())
      fault_ = member(name) + ": missing";
    else
      decode(*found, member(name), value);
  }

  template <class T>
  void may(const char* name, T& value) {
    if (!fault_.empty()) return;
    const auto found = json_.find(name);
    if (found != json_.end()) decode(*found, member(name), value);
  }

 private:
  [[nodiscard]] std::string member(const std::string& name) const {
    return place_.empty() ? name : place_ + "." + name;
  }
  void expected(const char* what) { expected(what, place_); }
  void expected(const char* what, const std::string& place) {
    if (fault_.empty()) fault_ = (place.empty() ? "document" : place) + ": expected " + what;
  }

  void decode(const Json& json, const std::string& place, std::string& value) {
    if (!json.is_string()) return expected("a string", place);
    value = json.get<std::string>();
  }
  void decode(const Json& json, const std::string& place, bool& value) {
    if (!json.is_boolean()) return expected("true or false", place);
    value = json.get<bool>();
  }
  void decode(const Json& json, const std::string& place, double& value) {
    if (!json.is_number()) return expected("a number", place);
    value = json.get<double>();
  }
  template <std::integral T>
  void decode(const Json& json, const std::string& place, T& value) {
    if (json.is_number_unsigned() && std::in_range<T>(json.get<uint64_t>()))
      value = static_cast<T>(json.get<uint64_t>());
    else if (json.is_number_integer() && !json.is_number_unsigned() &&
             std::in_range<T>(json.get<int64_t>()))
      value = static_cast<T>(json.get<int64_t>());
    else
      expected("a whole number in range", place);
  }
  void decode(const Json& json, const std::string& place, Availability& value) {
    if (json == "ran")
      value = Availability::kRan;
    else if (json == "skipped")
      value = Availability::kSkipped;
    else if (json == "failed")
      value = Availability::kFailed;
    else
      expected("ran, skipped or failed", place);
  }
  template <class T>
  void decode(const Json& json, const std::string& place, std::optional<T>& value) {
    decode(json, place, value.emplace());
  }
  template <class T>
  void decode(const Json& json, const std::string& place, std::vector<T>& values) {
    if (!json.is_array()) return expected("an array", place);
    values.reserve(json.size());
    for (size_t i = 0; i < json.size() && fault_.empty(); ++i)
      decode(json[i], place + "[" + std::to_string(i) + "]", values.emplace_back());
  }
  template <class T>
  void decode(const Json& json, const std::string& place, std::map<std::string, T>& values) {
    if (!json.is_object()) return expected("an object", place);
    for (const auto& [name, value] : json.items()) {
      if (!fault_.empty()) return;
      decode(value, std::string(place).append(".").append(name), values[name]);
    }
  }
  template <class T>
  requires requires(Reader& reader, T& value) { describe(reader, value); }
  void decode(const Json& json, const std::string& place, T& value) {
    Reader reader(json, place, fault_);
    if (fault_.empty()) describe(reader, value);
  }

  const Json& json_;
  std::string place_;
  std::string& fault_;
};

Result<void> check_version(const Json& json, std::string_view name) {
  STRATA_TRY(const int version, json_get<int>(json, "schema_version", 0, name));
  if (version == kSchemaVersion) return {};
  const std::string where(name);
  if (version == 0) return fail(EINVAL, where + ": not a result document (no schema_version)");
  return fail(EPROTONOSUPPORT, where + ": has schema version " + std::to_string(version) +
                                   "; this program reads version " +
                                   std::to_string(kSchemaVersion));
}

std::string indexed(const char* array, size_t i, const std::string& member) {
  return std::string(array) + "[" + std::to_string(i) + "]." + member;
}

// The first number below zero where that makes no sense, or "".
std::string find_negative(const Document& document) {
  std::string fault;
  const auto check = [&](double value, const std::string& place) {
    if (value < 0 && fault.empty()) fault = place + ": is negative";
  };
  check(document.run.trials, "run.trials");
  check(document.run.warmups, "run.warmups");
  check(document.context.cpu.logical_count, "context.cpu.logical_count");
  for (size_t i = 0; i < document.targets.size(); ++i)
    check(document.targets[i].trials, indexed("targets", i, "trials"));
  for (size_t i = 0; i < document.samples.size(); ++i) {
    const Sample& sample = document.samples[i];
    check(sample.round, indexed("samples", i, "round"));
    check(sample.order, indexed("samples", i, "order"));
    for (const auto& [name, value] : sample.metrics)
      check(value, indexed("samples", i, "metrics." + name));
  }
  return fault;
}

bool has_unit(std::string_view metric) {
  return unit_of(metric) != Unit::kCount || metric.ends_with("_count");
}

// What the types can't say.
std::string find_inconsistency(const Document& document) {
  if (auto negative = find_negative(document); !negative.empty()) return negative;
  for (size_t i = 0; i < document.targets.size(); ++i) {
    const auto& target = document.targets[i];
    if (find_target(document, target.name) != &target)
      return indexed("targets", i, "name: '") + target.name + "' is there twice";
  }
  for (size_t i = 0; i < document.samples.size(); ++i) {
    const auto& target = document.samples[i].target;
    if (find_target(document, target) == nullptr)
      return indexed("samples", i, "target: no target is named '") + target + "'";
    for (const auto& [name, value] : document.samples[i].metrics)
      if (!has_unit(name))
        return indexed("samples", i, "metrics.") + name +
               ": the name does not end in a unit (_ns, _bytes, _count, _per_second)";
  }
  return {};
}

}  // namespace

Result<Document> from_json(std::string_view text, std::string_view name) {
  STRATA_TRY(const Json json, parse_json(text, name));
  if (is_google_benchmark(json)) return from_google_benchmark(json, name);
  STRATA_CHECK(check_version(json, name));
  Document document;
  std::string fault;
  Reader reader(json, "", fault);
  if (fault.empty()) describe(reader, document);
  if (fault.empty()) fault = find_inconsistency(document);
  if (!fault.empty()) return fail(EINVAL, std::string(name) + ": " + fault);
  return document;
}

}  // namespace strata::bench
