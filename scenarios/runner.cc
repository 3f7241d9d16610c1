#include "scenarios/runner.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <regex>
#include <thread>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/base/interrupt.h"
#include "unionfs/base/json.h"
#include "unionfs/base/subprocess.h"

namespace strata::scenarios {
namespace {

using Clock = std::chrono::steady_clock;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

std::string kernel_release() {
  utsname name{};
  return ::uname(&name) == 0 ? name.release : "";
}

std::string trimmed(std::string text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  text.erase(end == std::string::npos ? 0 : end + 1);
  return text;
}

std::string tail(const std::string& text) {
  constexpr size_t kKept = 4000;
  return text.size() > kKept ? "…" + text.substr(text.size() - kKept) : text;
}

// Why the output does not satisfy the step, or "".
std::string mismatch(const Step& step, const Completed& done, const Variables& variables) {
  if (done.timed_out)
    return "took longer than " + std::to_string(step.timeout.count()) + " s and was stopped";
  if (step.status && done.status != *step.status)
    return "status " + std::to_string(done.status) + ", expected " + std::to_string(*step.status);
  const std::string out = trimmed(done.out);
  const auto expected = expand(step.stdout_equals, variables);
  if (!expected) return expected.error().what;
  if (!expected->empty() && out != *expected)
    return "printed '" + tail(out) + "', expected '" + *expected + "'";
  const auto part = expand(step.stdout_contains, variables);
  if (!part) return part.error().what;
  if (!part->empty() && out.find(*part) == std::string::npos)
    return "'" + *part + "' is not in what it printed";
  try {
    if (!step.stdout_matches.empty() && !std::regex_search(out, std::regex(step.stdout_matches)))
      return "what it printed does not match /" + step.stdout_matches + "/";
  } catch (const std::regex_error& e) {
    return "/" + step.stdout_matches + "/: " + e.what();
  }
  return "";
}

Result<std::string> captured(const Step& step, const std::string& out) {
  if (step.capture_json.empty()) return trimmed(out);
  STRATA_TRY(const Json json, parse_json(out, "output of '" + step.name + "'"));
  try {
    const Json& value = json.at(Json::json_pointer(step.capture_json));
    return value.is_string() ? value.get<std::string>() : value.dump();
  } catch (const Json::exception&) {
    return fail(ENOENT, "output of '" + step.name + "' has no " + step.capture_json);
  }
}

class Run {
 public:
  Run(Report& report, const RunOptions& options, const Interrupt& interrupt)
      : report_(report), options_(options), interrupt_(interrupt), stop_fd_(interrupt.fd()) {
    const auto self = std::filesystem::read_symlink("/proc/self/exe").parent_path().string();
    const char* path = std::getenv("PATH");
    environment_ = {"PATH=" + self + ":" + (path != nullptr ? path : "/usr/bin:/bin"),
                    "STRATA_ROOT=" + options.root.string()};
  }

  // Runs the steps until one does not pass.
  bool phase(const std::string& name, const std::vector<Step>& steps) {
    for (const auto& step : steps) {
      if (interrupt_.raised()) return stop_interrupted();
      const StepRecord& record = run_step(name, step);
      if (interrupt_.raised()) return stop_interrupted();
      if (!record.passed) return stop(Outcome::kFailed, step.name + ": " + record.problem);
    }
    return true;
  }

  // Runs all steps, come what may, further signals included; what fails is on record but does not
  // change the outcome, save that a run which left something behind has not passed.
  void cleanup(const std::vector<Step>& steps) {
    stop_fd_ = -1;
    for (const auto& step : steps) {
      const StepRecord& record = run_step("cleanup", step);
      if (!record.passed && report_.outcome == Outcome::kPassed)
        stop(Outcome::kFailed, "cleanup: " + step.name + ": " + record.problem);
    }
  }

  void judge() {
    for (const auto& assertion : report_.scenario.expect) {
      AssertionRecord record{assertion.that, "", std::string(symbol_of(assertion.op)), "",
                             false,          ""};
      const auto left = expand(assertion.left, report_.variables);
      const auto right = expand(assertion.right, report_.variables);
      record.left = left.value_or("");
      record.right = right.value_or("");
      const auto verdict = holds(assertion.op, record.left, record.right);
      record.passed = left && right && verdict && *verdict;
      if (!verdict) record.problem = verdict.error().what;
      if (!record.passed) {
        stop(Outcome::kFailed, "expected that " + record.that + ": " + record.left + " " +
                                   record.op + " " + record.right);
      }
      report_.assertions.push_back(std::move(record));
    }
    for (const auto& measurement : report_.scenario.measure) {
      const auto value = expand(measurement.value, report_.variables);
      char* end = nullptr;
      const double number = value ? std::strtod(value->c_str(), &end) : 0;
      if (!value || value->empty() || *end != '\0') {
        stop(Outcome::kFailed,
             "measurement " + measurement.name + " is not a number: '" + value.value_or("") + "'");
        continue;
      }
      report_.measurements.push_back({measurement.name, measurement.unit, number});
    }
  }

 private:
  bool stop_interrupted() { return stop(Outcome::kInterrupted, "interrupted"); }

  bool stop(Outcome outcome, std::string problem) {
    // The first trouble is the cause; later ones follow from it.
    if (report_.outcome == Outcome::kPassed) {
      report_.outcome = outcome;
      report_.problem = std::move(problem);
    }
    return false;
  }

  Result<Completed> execute(const std::vector<std::string>& words, std::chrono::seconds timeout) {
    Command command;
    for (const auto& word : words) {
      STRATA_TRY(std::string expanded, expand(word, report_.variables));
      command.argv.push_back(std::move(expanded));
    }
    if (const auto own = find_own_program(command.argv.front())) command.argv.front() = *own;
    command.env = environment_;
    command.timeout = timeout;
    command.stop_fd = stop_fd_;
    return run_command(command);
  }

  static void note_interrupt(StepRecord& record) {
    record.interrupted = true;
    record.problem = "interrupted";
  }

  void attempt(const Step& step, StepRecord& record) {
    // Between two commands (`unless`, an attempt that failed) there is nobody to be killed.
    if (stop_fd_ >= 0 && interrupt_.raised()) return note_interrupt(record);
    ++record.attempts;
    const auto done = execute(step.run, step.timeout);
    if (!done) {
      record.problem = done.error().what;
      return;
    }
    record.status = done->status;
    record.out = tail(done->out);
    record.err = tail(done->err);
    if (done->stopped) return note_interrupt(record);
    record.problem = mismatch(step, *done, report_.variables);
    if (!record.problem.empty()) {
      if (!trimmed(done->err).empty()) record.problem += ": " + trimmed(tail(done->err));
      return;
    }
    if (!step.capture.empty()) {
      auto value = captured(step, done->out);
      if (!value) {
        record.problem = value.error().what;
        return;
      }
      report_.variables[step.capture] = *std::move(value);
    }
    record.passed = true;
  }

  const StepRecord& run_step(const std::string& phase, const Step& step) {
    if (options_.before) options_.before(phase, step);
    StepRecord record;
    record.phase = phase;
    record.name = step.name;
    for (const auto& word : step.run)
      record.command.push_back(expand(word, report_.variables).value_or(word));
    const auto started = Clock::now();
    if (!step.unless.empty()) {
      const auto done = execute(step.unless, step.timeout);
      record.needed = !done || done->status != 0;
      record.passed = !record.needed;
    }
    if (record.needed) {
      attempt(step, record);
      while (!record.passed && !record.interrupted && Clock::now() - started < step.retry_for) {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        attempt(step, record);
      }
    }
    record.wall = Clock::now() - started;
    if (options_.after) options_.after(record);
    return report_.steps.emplace_back(std::move(record));
  }

  Report& report_;
  const RunOptions& options_;
  const Interrupt& interrupt_;
  int stop_fd_;  // ends the running step; none during the clean-up
  std::vector<std::string> environment_;
};

std::string missing_program(const Scenario& scenario) {
  for (const auto& program : scenario.programs)
    if (!find_program(program)) return program;
  return "";
}

Result<Variables> parameters_of(const Scenario& scenario, const Variables& set) {
  Variables variables = scenario.parameters;
  for (const auto& [name, value] : set) {
    if (!variables.contains(name))
      return fail(EINVAL, "scenario " + scenario.name + " has no parameter '" + name + "'");
    variables[name] = value;
  }
  return variables;
}

}  // namespace

Result<Report> run_scenario(const Scenario& scenario, const RunOptions& options) {
  Report report;
  report.scenario = scenario;
  report.id = scenario.name + "-" + std::to_string(::getpid());
  report.started = utc_now();
  report.kernel = kernel_release();
  STRATA_TRY(report.variables, parameters_of(scenario, options.set));
  if (const auto missing = missing_program(scenario); !missing.empty()) {
    report.outcome = Outcome::kSkipped;
    report.problem = "program '" + missing + "' is not installed";
    return report;
  }
  STRATA_TRY(const Interrupt interrupt, Interrupt::watch());
  STRATA_TRY(const auto work, make_temp_dir("/var/tmp", "strata-scenario-"));
  report.variables["here"] = scenario.here.string();
  report.variables["id"] = report.id;
  report.variables["work"] = work.string();
  report.variables["root"] = options.root.string();

  const auto started = Clock::now();
  Run run(report, options, interrupt);
  if (run.phase("setup", scenario.setup) && run.phase("run", scenario.run)) run.judge();
  if (!options.keep) run.cleanup(scenario.cleanup);
  if (!options.keep) {
    if (const auto removed = remove_tree(work); !removed && report.outcome == Outcome::kPassed) {
      report.outcome = Outcome::kFailed;
      report.problem = removed.error().what;
    }
  }
  report.signal = interrupt.signal();
  report.wall = Clock::now() - started;
  return report;
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::kPassed:
      return "passed";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kSkipped:
      return "skipped";
    case Outcome::kInterrupted:
      break;
  }
  return "interrupted";
}

std::string to_json(const Report& report) {
  const auto& scenario = report.scenario;
  OrderedJson json = {
      {"schema_version", 1},
      {"kind", "scenario"},
      {"scenario", scenario.name},
      {"title", scenario.title},
      {"claim",
       {{"document", scenario.claim.document},
        {"section", scenario.claim.section},
        {"quote", scenario.claim.quote}}},
      {"started", report.started},
      {"kernel", report.kernel},
      {"outcome", name_of(report.outcome)},
      {"problem", report.problem},
      {"wall_ns", report.wall.count()},
      {"variables", report.variables},
      {"measurements", OrderedJson::array()},
      {"assertions", OrderedJson::array()},
      {"steps", OrderedJson::array()},
  };
  for (const auto& m : report.measurements)
    json["measurements"].push_back({{"name", m.name}, {"unit", m.unit}, {"value", m.value}});
  for (const auto& a : report.assertions) {
    json["assertions"].push_back({{"that", a.that},
                                  {"left", a.left},
                                  {"op", a.op},
                                  {"right", a.right},
                                  {"passed", a.passed},
                                  {"problem", a.problem}});
  }
  for (const auto& s : report.steps) {
    json["steps"].push_back({{"phase", s.phase},
                             {"name", s.name},
                             {"command", s.command},
                             {"needed", s.needed},
                             {"passed", s.passed},
                             {"attempts", s.attempts},
                             {"status", s.status},
                             {"wall_ns", s.wall.count()},
                             {"stdout", s.out},
                             {"stderr", s.err},
                             {"problem", s.problem}});
  }
  // Programs may print bytes that are no UTF-8.
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace strata::scenarios
