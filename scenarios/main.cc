// strata-scenario: lists, shows and runs scenarios.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "scenarios/runner.h"
#include "scenarios/scenario.h"
#include "unionfs/base/file.h"
#include "unionfs/base/standard_streams.h"
#include "unionfs/base/terminal.h"

namespace strata::scenarios {
namespace {

constexpr const char* kProgram = "strata-scenario";
constexpr int kFailed = 1;
constexpr int kUsage = 2;
constexpr int kSignalled = 128;  // plus the signal's number, as shells have it

// Beside the program when installed (../share/strata/scenarios), else where it was built from.
std::filesystem::path default_directory() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto installed = self.parent_path().parent_path() / "share/strata/scenarios";
  return std::filesystem::is_directory(installed, error) ? installed : STRATA_SCENARIO_DIR;
}

struct Options {
  std::filesystem::path directory = default_directory();
  std::string root = "/var/lib/strata";
  std::vector<std::string> names;
  std::vector<std::string> set;
  std::string json_file;
  bool json = false;
  bool keep = false;
  bool quiet = false;
};

// A name of the directory, or the path of a file.
Result<Scenario> find_scenario(const Options& options, const std::string& name) {
  if (name.find('/') != std::string::npos || name.ends_with(".json")) return load_scenario(name);
  auto scenario = load_scenario(options.directory / (name + ".json"));
  if (scenario || scenario.error().code != ENOENT) return scenario;
  std::string what =
      "no scenario '" + name + "' in " + options.directory.string() + "; 'strata scenario list'";
  what += " names them";
  if (std::error_code error; std::filesystem::exists(name, error))
    what += " (for the file of this name, give a path, './" + name +
            "'; scenarios are JSON files, usually called NAME.json)";
  return fail(ENOENT, std::move(what));
}

Result<int> list(const Options& options) {
  STRATA_TRY(const auto scenarios, load_directory(options.directory));
  for (const auto& scenario : scenarios) {
    std::printf("%s  %s\n", paint(STDOUT_FILENO, Colour::kBold, scenario.name).c_str(),
                scenario.title.c_str());
  }
  return 0;
}

void show_steps(const char* phase, const std::vector<Step>& steps) {
  if (steps.empty()) return;
  std::printf("\n%s\n", paint(STDOUT_FILENO, Colour::kBold, phase).c_str());
  for (const auto& step : steps) {
    std::string command;
    for (const auto& word : step.run) command += (command.empty() ? "" : " ") + word;
    std::printf("  %s\n      %s\n", step.name.c_str(),
                paint(STDOUT_FILENO, Colour::kDim, command).c_str());
  }
}

Result<int> show(const Options& options) {
  STRATA_TRY(const Scenario scenario, find_scenario(options, options.names.front()));
  std::printf("%s: %s\n\n%s\n", paint(STDOUT_FILENO, Colour::kBold, scenario.name).c_str(),
              scenario.title.c_str(), scenario.why.c_str());
  if (!scenario.claim.quote.empty()) {
    std::printf("\n  \"%s\"\n  (%s, %s)\n", scenario.claim.quote.c_str(),
                scenario.claim.document.c_str(), scenario.claim.section.c_str());
  }
  if (!scenario.parameters.empty()) {
    std::printf("\n%s\n", paint(STDOUT_FILENO, Colour::kBold, "Parameters (--set)").c_str());
    for (const auto& [name, value] : scenario.parameters)
      std::printf("  %s=%s\n", name.c_str(), value.c_str());
  }
  show_steps("Setup", scenario.setup);
  show_steps("Run", scenario.run);
  if (!scenario.expect.empty()) {
    std::printf("\n%s\n", paint(STDOUT_FILENO, Colour::kBold, "Expected").c_str());
    for (const auto& assertion : scenario.expect) {
      std::printf("  %s\n      %s %s %s\n", assertion.that.c_str(), assertion.left.c_str(),
                  std::string(symbol_of(assertion.op)).c_str(), assertion.right.c_str());
    }
  }
  show_steps("Cleanup", scenario.cleanup);
  return 0;
}

std::string mark(bool passed) {
  return passed ? paint(STDERR_FILENO, Colour::kGreen, "ok  ")
                : paint(STDERR_FILENO, Colour::kRed, "FAIL");
}

std::string mark_of(const StepRecord& record) {
  return record.interrupted ? paint(STDERR_FILENO, Colour::kRed, "STOP") : mark(record.passed);
}

void print_step(const StepRecord& record) {
  std::fprintf(stderr, "  %s %-8s %s", mark_of(record).c_str(), record.phase.c_str(),
               record.name.c_str());
  if (record.needed) {
    std::fprintf(stderr, " (%.1f s)\n", std::chrono::duration<double>(record.wall).count());
  } else {
    std::fputs(" (not needed)\n", stderr);
  }
  if (!record.passed) std::fprintf(stderr, "       %s\n", record.problem.c_str());
}

void print_verdict(const Report& report) {
  for (const auto& a : report.assertions) {
    std::fprintf(stderr, "  %s expected %s: %s %s %s\n", mark(a.passed).c_str(), a.that.c_str(),
                 a.left.c_str(), a.op.c_str(), a.right.c_str());
  }
  for (const auto& m : report.measurements) {
    const std::string value = m.unit == "bytes"
                                  ? human_size(static_cast<unsigned long long>(m.value)) + " (" +
                                        std::to_string(static_cast<long long>(m.value)) + " bytes)"
                                  : std::to_string(m.value) + " " + m.unit;
    std::printf("%s: %s\n", m.name.c_str(), value.c_str());
  }
  std::string line = report.scenario.name + " " + std::string(name_of(report.outcome));
  if (!report.problem.empty()) line += ": " + report.problem;
  std::printf("%s\n", line.c_str());
}

Result<int> run_one(const Options& options, const std::string& name) {
  STRATA_TRY(const Scenario scenario, find_scenario(options, name));
  RunOptions run;
  run.root = options.root;
  run.keep = options.keep;
  for (const auto& assignment : options.set) {
    const auto at = assignment.find('=');
    if (at == std::string::npos)
      return fail(EINVAL, "--set " + assignment + ": expected NAME=VALUE");
    run.set[assignment.substr(0, at)] = assignment.substr(at + 1);
  }
  if (!options.quiet) {
    std::fprintf(stderr, "%s: %s\n", scenario.name.c_str(), scenario.title.c_str());
    run.before = [&](const std::string& phase, const Step& step) {
      if (::isatty(STDERR_FILENO) != 0)
        std::fprintf(stderr, "  …    %-8s %s\r", phase.c_str(), step.name.c_str());
    };
    run.after = [&](const StepRecord& record) {
      if (::isatty(STDERR_FILENO) != 0) std::fputs("\033[K", stderr);
      print_step(record);
    };
  }
  STRATA_TRY(const Report report, run_scenario(scenario, run));
  const std::string json = to_json(report);
  if (!options.json_file.empty()) STRATA_CHECK(write_file_atomic(options.json_file, json));
  if (options.json) {
    std::fputs(json.c_str(), stdout);
  } else {
    print_verdict(report);
  }
  if (options.keep) {
    std::fprintf(stderr, "kept: containers named %s-*, scratch directory %s\n", report.id.c_str(),
                 report.variables.at("work").c_str());
  }
  if (report.signal != 0) return kSignalled + report.signal;
  const bool fine = report.outcome == Outcome::kPassed || report.outcome == Outcome::kSkipped;
  return fine ? 0 : kFailed;
}

Result<int> run(const Options& options) {
  int worst = 0;
  for (const auto& name : options.names) {
    STRATA_TRY(const int status, run_one(options, name));
    worst = std::max(worst, status);
    if (status > kSignalled) break;
  }
  return worst;
}

int run_program(int argc, char** argv) {
  Options options;
  if (const char* root = std::getenv("STRATA_ROOT"); root != nullptr && *root != '\0')
    options.root = root;

  CLI::App app{"Runs scenarios: examples and claims about containers, proved with numbers"};
  app.name("strata scenario");
  app.set_version_flag("--version", std::string(kProgram) + " " + STRATA_VERSION);
  app.require_subcommand(1);
  app.add_option("--directory", options.directory, "where the scenarios are")
      ->check(CLI::ExistingDirectory);
  app.add_option("--root", options.root, "the image store ($STRATA_ROOT, or /var/lib/strata)");

  Result<int> (*action)(const Options&) = nullptr;
  auto* list_command = app.add_subcommand("list", "list the scenarios");
  list_command->callback([&] { action = list; });

  auto* show_command = app.add_subcommand("show", "show what a scenario does and expects");
  show_command->add_option("SCENARIO", options.names, "name or file")->required()->expected(1);
  show_command->callback([&] { action = show; });

  auto* run_command = app.add_subcommand("run", "run scenarios");
  run_command->add_option("SCENARIO", options.names, "names or files")->required();
  run_command->add_flag("--keep", options.keep, "leave containers and files for a look around");
  run_command->add_option("--set", options.set, "change a parameter")->type_name("NAME=VALUE");
  auto* file = run_command->add_option("--json", options.json_file,
                                       "write the result to FILE ('-': standard output)");
  file->type_name("FILE");
  run_command->add_flag("-q,--quiet", options.quiet, "print the verdict only");
  run_command->callback([&] { action = run; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    print_error(kProgram, {EINVAL, std::string(e.what()) + " (see 'strata scenario --help')"});
    return kUsage;
  }
  if (options.json_file == "-") {
    options.json = true;
    options.json_file.clear();
  }
  options.root = std::filesystem::absolute(options.root).string();
  const auto status = action(options);
  if (!status) {
    print_error(kProgram, status.error());
    return kFailed;
  }
  return *status;
}

}  // namespace
}  // namespace strata::scenarios

int main(int argc, char** argv) {
  strata::open_standard_streams();
  return strata::scenarios::run_program(argc, argv);
}
