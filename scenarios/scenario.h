// A scenario: an example or claim written as data (one JSON file, format in README.md) that can be
// run, measured and judged. Plain values; nothing here starts anything.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::scenarios {

// One command. Words may hold ${variables}.
struct Step {
  std::string name;                 // what it does, for a person
  std::vector<std::string> run;     // argv; a single string in the file means sh -ec
  std::vector<std::string> unless;  // when this command succeeds, the step is not needed
  std::optional<int> status = 0;    // expected exit status; nullopt: any
  std::string stdout_equals;        // checks of standard output; empty: none
  std::string stdout_contains;
  std::string stdout_matches;  // ECMAScript regular expression, searched
  std::string capture;         // variable that takes standard output, trimmed
  std::string capture_json;    // JSON pointer into standard output, instead of all of it
  std::chrono::seconds timeout{60};
  std::chrono::seconds retry_for{0};  // a step that fails is tried again until then
};

enum class Comparison { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

// `left op right` after expansion: as numbers for the orderings, as text for == and !=.
struct Assertion {
  std::string that;  // the claim, for a person
  std::string left;
  Comparison op = Comparison::kEqual;
  std::string right;
};

struct Measurement {
  std::string name;   // "bytes_saved"
  std::string unit;   // "bytes", "ns", …
  std::string value;  // expands to a number
};

struct Claim {
  std::string document;
  std::string section;
  std::string quote;
};

struct Scenario {
  std::string name;            // the file's name without .json
  std::filesystem::path here;  // the directory of the file
  std::string title;
  std::string why;
  Claim claim;
  std::vector<std::string> programs;              // that must be found in PATH
  std::map<std::string, std::string> parameters;  // defaults; --set changes them
  std::vector<Step> setup, run, cleanup;
  std::vector<Assertion> expect;
  std::vector<Measurement> measure;
};

// Reads a scenario. Unknown members, wrong types and uses of variables that nothing defines are
// EINVAL with the place ("shared-base: run[2]: unknown member 'captuer'").
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view json, std::string_view name);
[[nodiscard]] Result<Scenario> load_scenario(const std::filesystem::path& file);

// All scenarios of a directory, by name. A file that can't be read is an error.
[[nodiscard]] Result<std::vector<Scenario>> load_directory(const std::filesystem::path& dir);

using Variables = std::map<std::string, std::string>;

// Replaces every ${name}; "$${" gives a literal "${". EINVAL names a variable that is not there.
[[nodiscard]] Result<std::string> expand(std::string_view text, const Variables& variables);

[[nodiscard]] std::string_view symbol_of(Comparison op);

// EINVAL when an ordering meets something that is not a number.
[[nodiscard]] Result<bool> holds(Comparison op, const std::string& left, const std::string& right);

// Variables that the runner defines before the first step.
inline constexpr std::string_view kBuiltInVariables[] = {
    "here",  // the directory of the scenario's file
    "id",    // unique name of this run, for containers
    "work",  // scratch directory, removed at the end
    "root",  // the image store
};

}  // namespace strata::scenarios
