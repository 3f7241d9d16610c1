#include "scenarios/scenario.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <set>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::scenarios {
namespace {

constexpr std::array<std::pair<std::string_view, Comparison>, 6> kComparisons{{
    {"==", Comparison::kEqual},
    {"!=", Comparison::kNotEqual},
    {"<", Comparison::kLess},
    {"<=", Comparison::kLessEqual},
    {">", Comparison::kGreater},
    {">=", Comparison::kGreaterEqual},
}};

// One JSON object being read: every member must be asked for, what is left over is unknown.
class Members {
 public:
  Members(const Json& json, std::string place) : json_(json), place_(std::move(place)) {}

  Result<void> check_is_object() const {
    if (json_.is_object()) return {};
    return fail(EINVAL, place_ + ": expected an object, found " + json_.type_name());
  }

  template <class T>
  Result<T> get(const char* key, T fallback) {
    known_.insert(key);
    return json_get<T>(json_, key, std::move(fallback), place_);
  }

  Result<std::string> required(const char* key) {
    STRATA_TRY(std::string text, get<std::string>(key, ""));
    if (text.empty()) return fail(EINVAL, place_ + ": '" + key + "' is missing");
    return text;
  }

  const Json* find(const char* key) {
    known_.insert(key);
    const auto it = json_.find(key);
    return it == json_.end() ? nullptr : &*it;
  }

  Result<void> check_all_known() const {
    for (const auto& [key, value] : json_.items())
      if (!known_.contains(key)) return fail(EINVAL, place_ + ": unknown member '" + key + "'");
    return {};
  }

  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  const Json& json_;
  std::string place_;
  std::set<std::string> known_;
};

// A command is a list of words, or one string for the shell.
Result<std::vector<std::string>> read_command(Members& members, const char* key) {
  const Json* json = members.find(key);
  if (json == nullptr) return std::vector<std::string>();
  if (json->is_string()) return std::vector<std::string>{"sh", "-ec", json->get<std::string>()};
  STRATA_TRY(auto words, members.get<std::vector<std::string>>(key, {}));
  if (words.empty()) return fail(EINVAL, members.place() + ": " + key + ": empty command");
  return words;
}

Result<Step> read_step(const Json& json, std::string place) {
  Members members(json, std::move(place));
  STRATA_CHECK(members.check_is_object());
  Step step;
  STRATA_TRY(step.name, members.required("name"));
  STRATA_TRY(step.run, read_command(members, "run"));
  if (step.run.empty()) return fail(EINVAL, members.place() + ": 'run' is missing");
  STRATA_TRY(step.unless, read_command(members, "unless"));
  const Json* status = members.find("status");
  if (status != nullptr && *status == "any") {
    step.status.reset();
  } else {
    STRATA_TRY(step.status, members.get<int>("status", 0));
  }
  STRATA_TRY(step.stdout_equals, members.get<std::string>("stdout_equals", ""));
  STRATA_TRY(step.stdout_contains, members.get<std::string>("stdout_contains", ""));
  STRATA_TRY(step.stdout_matches, members.get<std::string>("stdout_matches", ""));
  STRATA_TRY(step.capture, members.get<std::string>("capture", ""));
  STRATA_TRY(step.capture_json, members.get<std::string>("capture_json", ""));
  STRATA_TRY(const int timeout, members.get<int>("timeout_s", 60));
  STRATA_TRY(const int retry, members.get<int>("retry_for_s", 0));
  step.timeout = std::chrono::seconds(timeout);
  step.retry_for = std::chrono::seconds(retry);
  STRATA_CHECK(members.check_all_known());
  return step;
}

Result<Assertion> read_assertion(const Json& json, std::string place) {
  Members members(json, std::move(place));
  STRATA_CHECK(members.check_is_object());
  Assertion assertion;
  STRATA_TRY(assertion.that, members.required("that"));
  STRATA_TRY(assertion.left, members.get<std::string>("left", ""));
  STRATA_TRY(const std::string op, members.required("op"));
  STRATA_TRY(assertion.right, members.get<std::string>("right", ""));
  const auto* known = std::find_if(kComparisons.begin(), kComparisons.end(),
                                   [&](const auto& entry) { return entry.first == op; });
  if (known == kComparisons.end())
    return fail(EINVAL, members.place() + ": unknown comparison '" + op + "'");
  assertion.op = known->second;
  STRATA_CHECK(members.check_all_known());
  return assertion;
}

Result<Measurement> read_measurement(const Json& json, std::string place) {
  Members members(json, std::move(place));
  STRATA_CHECK(members.check_is_object());
  Measurement measurement;
  STRATA_TRY(measurement.name, members.required("name"));
  STRATA_TRY(measurement.unit, members.required("unit"));
  STRATA_TRY(measurement.value, members.required("value"));
  STRATA_CHECK(members.check_all_known());
  return measurement;
}

Result<Claim> read_claim(const Json& json, std::string place) {
  Members members(json, std::move(place));
  STRATA_CHECK(members.check_is_object());
  Claim claim;
  STRATA_TRY(claim.document, members.required("document"));
  STRATA_TRY(claim.section, members.required("section"));
  STRATA_TRY(claim.quote, members.required("quote"));
  STRATA_CHECK(members.check_all_known());
  return claim;
}

template <class T>
Result<std::vector<T>> read_list(Members& members, const char* key,
                                 Result<T> (*read)(const Json&, std::string)) {
  std::vector<T> list;
  const Json* json = members.find(key);
  if (json == nullptr) return list;
  const std::string place = members.place() + ": " + key;
  if (!json->is_array()) return fail(EINVAL, place + ": expected a list");
  for (size_t i = 0; i < json->size(); ++i) {
    STRATA_TRY(T item, read((*json)[i], place + "[" + std::to_string(i) + "]"));
    list.push_back(std::move(item));
  }
  return list;
}

// Walks all texts in the order in which the runner will expand them and finds undefined variables
// before anything is run.
Result<void> check_variables(const Scenario& scenario) {
  Variables defined = scenario.parameters;
  for (const auto name : kBuiltInVariables) defined.emplace(name, "");
  const auto check = [&](const std::string& text, const std::string& place) -> Result<void> {
    const auto expanded = expand(text, defined);
    if (!expanded) return fail_in(scenario.name + ": " + place, expanded.error());
    return {};
  };
  const auto check_steps = [&](const std::vector<Step>& steps, std::string_view list,
                               bool captures) -> Result<void> {
    for (const auto& step : steps) {
      const std::string place = std::string(list) + ": " + step.name;
      for (const auto& word : step.run) STRATA_CHECK(check(word, place));
      for (const auto& word : step.unless) STRATA_CHECK(check(word, place));
      STRATA_CHECK(check(step.stdout_equals, place));
      STRATA_CHECK(check(step.stdout_contains, place));
      if (captures && !step.capture.empty()) defined.emplace(step.capture, "");
    }
    return {};
  };
  // Cleanup runs whatever was reached: it can't rely on what steps captured.
  STRATA_CHECK(check_steps(scenario.cleanup, "cleanup", false));
  STRATA_CHECK(check_steps(scenario.setup, "setup", true));
  STRATA_CHECK(check_steps(scenario.run, "run", true));
  for (const auto& assertion : scenario.expect) {
    STRATA_CHECK(check(assertion.left, "expect: " + assertion.that));
    STRATA_CHECK(check(assertion.right, "expect: " + assertion.that));
  }
  for (const auto& measurement : scenario.measure)
    STRATA_CHECK(check(measurement.value, "measure: " + measurement.name));
  return {};
}

std::optional<double> to_number(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view json, std::string_view name) {
  STRATA_TRY(const Json document, parse_json(json, name));
  Members members(document, std::string(name));
  STRATA_CHECK(members.check_is_object());
  Scenario scenario;
  scenario.name = name;
  STRATA_TRY(scenario.title, members.required("title"));
  STRATA_TRY(scenario.why, members.required("why"));
  if (const Json* claim = members.find("claim")) {
    STRATA_TRY(scenario.claim, read_claim(*claim, scenario.name + ": claim"));
  }
  STRATA_TRY(scenario.programs, members.get<std::vector<std::string>>("requires", {}));
  STRATA_TRY(scenario.parameters,
             members.get<std::map<std::string, std::string>>("parameters", {}));
  STRATA_TRY(scenario.setup, read_list<Step>(members, "setup", read_step));
  STRATA_TRY(scenario.run, read_list<Step>(members, "run", read_step));
  STRATA_TRY(scenario.cleanup, read_list<Step>(members, "cleanup", read_step));
  STRATA_TRY(scenario.expect, read_list<Assertion>(members, "expect", read_assertion));
  STRATA_TRY(scenario.measure, read_list<Measurement>(members, "measure", read_measurement));
  STRATA_CHECK(members.check_all_known());
  if (scenario.run.empty()) return fail(EINVAL, scenario.name + ": 'run' has no steps");
  STRATA_CHECK(check_variables(scenario));
  return scenario;
}

Result<Scenario> load_scenario(const std::filesystem::path& file) {
  STRATA_TRY(const std::string text, read_file(file));
  STRATA_TRY(Scenario scenario, parse_scenario(text, file.stem().string()));
  scenario.here = std::filesystem::absolute(file).parent_path();
  return scenario;
}

Result<std::vector<Scenario>> load_directory(const std::filesystem::path& dir) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  if (error) return fail_errno("read " + dir.string(), error.value());
  std::sort(files.begin(), files.end());
  std::vector<Scenario> scenarios;
  for (const auto& file : files) {
    STRATA_TRY(Scenario scenario, load_scenario(file));
    scenarios.push_back(std::move(scenario));
  }
  return scenarios;
}

Result<std::string> expand(std::string_view text, const Variables& variables) {
  std::string result;
  for (;;) {
    const auto at = text.find("${");
    if (at == std::string_view::npos) return result.append(text);
    if (at > 0 && text[at - 1] == '$') {  // "$${" is a literal "${"
      result.append(text.substr(0, at)).append("{");
      text.remove_prefix(at + 2);
      continue;
    }
    const auto end = text.find('}', at);
    if (end == std::string_view::npos) return fail(EINVAL, "'${' without '}'");
    const std::string name(text.substr(at + 2, end - at - 2));
    const auto found = variables.find(name);
    if (found == variables.end()) return fail(EINVAL, "no variable '" + name + "'");
    result.append(text.substr(0, at)).append(found->second);
    text.remove_prefix(end + 1);
  }
}

std::string_view symbol_of(Comparison op) {
  for (const auto& [symbol, known] : kComparisons)
    if (known == op) return symbol;
  return "?";
}

Result<bool> holds(Comparison op, const std::string& left, const std::string& right) {
  if (op == Comparison::kEqual) return left == right;
  if (op == Comparison::kNotEqual) return left != right;
  const auto a = to_number(left);
  const auto b = to_number(right);
  if (!a || !b) return fail(EINVAL, "'" + (a ? right : left) + "' is not a number");
  switch (op) {
    case Comparison::kLess:
      return *a < *b;
    case Comparison::kLessEqual:
      return *a <= *b;
    case Comparison::kGreater:
      return *a > *b;
    default:
      return *a >= *b;
  }
}

}  // namespace strata::scenarios
