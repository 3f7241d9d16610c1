// Runs a scenario: setup, run, expect, measure, and cleanup whatever happened. SIGINT, SIGTERM and
// SIGHUP end the step that runs, with all that it started, and the cleanup follows; further ones
// change nothing.
//
// Thread rule: main thread only (it takes up signals while it runs).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "scenarios/scenario.h"
#include "unionfs/base/result.h"

namespace strata::scenarios {

enum class Outcome { kPassed, kFailed, kSkipped, kInterrupted };

struct StepRecord {
  std::string phase;  // "setup", "run", "cleanup"
  std::string name;
  std::vector<std::string> command;  // after expansion
  bool needed = true;                // false: `unless` held
  bool passed = false;
  bool interrupted = false;  // it was killed; `problem` says so, too
  int attempts = 0;
  int status = 0;
  std::chrono::nanoseconds wall{};
  std::string out, err;  // the ends of the streams
  std::string problem;   // why it did not pass
};

struct AssertionRecord {
  std::string that, left, op, right;
  bool passed = false;
  std::string problem;
};

struct MeasurementRecord {
  std::string name, unit;
  double value = 0;
};

// What a run gives. The result file is to_json() of this.
struct Report {
  Scenario scenario;
  std::string id;
  std::string started;  // RFC 3339, UTC
  std::string kernel;   // uname -r
  Variables variables;  // parameters, built-in and captured
  Outcome outcome = Outcome::kPassed;
  std::string problem;  // why it did not pass
  int signal = 0;       // that arrived meanwhile, during the cleanup included; 0: none
  std::chrono::nanoseconds wall{};
  std::vector<StepRecord> steps;
  std::vector<AssertionRecord> assertions;
  std::vector<MeasurementRecord> measurements;
};

struct RunOptions {
  std::filesystem::path root;  // the image store
  Variables set;               // parameters to change; an unknown one is EINVAL
  bool keep = false;           // leave everything as it is after the last step: no cleanup
  // Told of each step before and after it ran, for printing; may be empty.
  std::function<void(const std::string& phase, const Step&)> before;
  std::function<void(const StepRecord&)> after;
};

// An Error means that the run could not begin (bad --set, no scratch directory); everything later
// is in the Report.
[[nodiscard]] Result<Report> run_scenario(const Scenario& scenario, const RunOptions& options);

// The result document, schema results/schema/strata-scenario-result-1.schema.json.
[[nodiscard]] std::string to_json(const Report& report);

[[nodiscard]] std::string_view name_of(Outcome outcome);

}  // namespace strata::scenarios
