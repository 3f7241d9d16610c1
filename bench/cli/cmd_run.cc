// strata bench run SUITE

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>

#include "bench/cgroups.h"
#include "bench/cli/commands.h"
#include "bench/context.h"
#include "bench/export/csv.h"
#include "bench/export/table.h"
#include "bench/runner.h"
#include "bench/scratch.h"
#include "bench/suite.h"
#include "unionfs/base/file.h"
#include "unionfs/base/interrupt.h"
#include "unionfs/base/terminal.h"

namespace strata::bench {
namespace {

struct Options {
  std::string suite = "startup";
  std::vector<std::string> targets;
  std::string image = "debian:bookworm";
  std::string rootfs;
  std::vector<std::string> command;
  RunPlan plan;
  bool quick = false;
  uint64_t seed = 0;
  std::string reference;
  std::string probe;
  double timeout_s = 0;
  size_t containers = 1000;
  std::string label;
  std::string out = "results";
  std::string json;
  std::string csv;
};

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

Result<uint32_t> random_number() {
  uint32_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) return fail_errno("getrandom");
  return number;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

Result<Workload> make_workload(const Options& options, const Globals& globals, const Suite& suite,
                               const std::string& strata) {
  Workload workload;
  workload.root = globals.root;
  workload.containers = options.containers;
  workload.command = options.command.empty() ? suite.command : options.command;
  if (options.command.empty()) workload.output = suite.output;
  if (!options.rootfs.empty()) {
    STRATA_TRY(workload.image, directory_image(options.rootfs));
  } else if (strata.empty()) {
    return fail(ENOENT, "strata was not found, to look up the image; see --rootfs");
  } else {
    STRATA_TRY(workload.image, inspect_image(strata, globals.root, options.image));
  }
  // Some targets search no PATH, so that nobody is charged for it.
  if (!workload.full_command().front().starts_with('/'))
    return fail(EINVAL, "the command must start with an absolute path, not '" +
                            workload.full_command().front() + "'");
  return workload;
}

Result<Document> make_document(const Options& options, const Globals& globals, const Suite& suite,
                               const Workload& workload) {
  Document document;
  document.context = collect_context(globals.root);
  Run& run = document.run;
  run.suite = suite.name;
  run.label = options.label;
  run.start_utc = utc_now();
  STRATA_TRY(const uint32_t number, random_number());
  run.id = run.start_utc + "-" + run.suite + "-" + std::to_string(number);
  run.command_line = globals.command_line;
  run.parameters = {{"command", joined(workload.full_command())},
                    {"image", workload.image.name.empty() ? options.rootfs : workload.image.name},
                    {"image_id", workload.image.id},
                    {"containers", std::to_string(workload.containers)},
                    {"layers", std::to_string(workload.image.layers.size())},
                    {"slow_trials", std::to_string(options.plan.slow_budget.trials)},
                    {"slow_warmups", std::to_string(options.plan.slow_budget.warmups)},
                    {"max_failures", std::to_string(options.plan.max_failures)}};
  return document;
}

Result<void> check_reference(const Targets& targets, const std::string& reference) {
  const auto named = [&](const auto& target) { return target->info().name == reference; };
  if (reference.empty() || std::ranges::any_of(targets, named)) return {};
  return fail(EINVAL, "--reference " + reference + " is not among the targets");
}

// Ratios refer to what was asked for, else to strata, else to the first target that ran.
std::string choose_reference(const Document& document, const std::string& asked) {
  if (!asked.empty()) return asked;
  std::string first;
  for (const auto& target : document.targets) {
    if (target.availability != Availability::kRan) continue;
    if (target.name == "strata") return target.name;
    if (first.empty()) first = target.name;
  }
  return first;
}

// 0 when every target that could run here gave figures.
int exit_status(const Document& document) {
  bool any = false;
  for (const auto& target : document.targets) {
    if (target.availability == Availability::kFailed) return 1;
    any = any || target.availability == Availability::kRan;
  }
  return any ? 0 : 1;
}

Result<void> write_csv(const Document& document, const std::string& path) {
  if (path.empty()) return {};
  return write_file_atomic(path, to_csv(document), Durability::kAtomic);
}

// Without the probe, the run goes on and says so.
std::unique_ptr<TrialProbe> open_probe(const std::string& launcher, const Interrupt* interrupt,
                                       Document& document) {
  auto probe = make_startup_probe(launcher, interrupt);
  if (probe) return *std::move(probe);
  document.skipped.push_back({"probe startup", probe.error().what});
  return nullptr;
}

Result<int> run(Options options, const Globals& globals) {
  if (::geteuid() != 0) return fail(EPERM, "benchmarks of containers must be run as root");
  STRATA_TRY(const Suite* suite, find_suite(options.suite));
  const OwnPrograms programs = find_own_programs();
  if (programs.launcher.empty()) return fail(ENOENT, "strata-bench-launch was not found");
  STRATA_TRY(const Targets targets, select_targets(suite->make_targets(programs), options.targets));
  STRATA_CHECK(check_reference(targets, options.reference));
  STRATA_TRY(Workload workload, make_workload(options, globals, *suite, programs.strata));
  if (options.seed == 0) {
    STRATA_TRY(options.seed, random_number());
  }
  options.plan.seed = options.seed;
  STRATA_TRY(Document document, make_document(options, globals, *suite, workload));
  const std::filesystem::path json = options.json.empty()
                                         ? options.out / document_path(document.run)
                                         : std::filesystem::path(options.json);
  STRATA_TRY(const Scratch scratch,
             Scratch::create(globals.root / "bench", [](const std::string& name) {
               [[maybe_unused]] const auto removed = remove_cgroups(name);  // as far as it goes
             }));
  workload.scratch = scratch.path();
  workload.id = scratch.name();

  STRATA_TRY(const Interrupt interrupt, Interrupt::watch());
  workload.stop_fd = interrupt.fd();
  ProcessExecutor executor(programs.launcher, &interrupt);
  {
    Progress progress(options.suite + ":");
    const RunHooks hooks{
        .save = [&](const Document& current) { return write_document(current, json); },
        .progress = [&](const std::string& what) { progress.update(what); },
        .interrupted = [&] { return interrupt.raised(); }};
    std::unique_ptr<TrialProbe> probe;
    if (!options.probe.empty()) probe = open_probe(programs.launcher, &interrupt, document);
    STRATA_CHECK(
        run_trials(document, targets, workload, executor, options.plan, hooks, probe.get()));
  }
  document.run.end_utc = utc_now();
  document.run.reference = choose_reference(document, options.reference);
  STRATA_CHECK(write_document(document, json));
  STRATA_CHECK(write_csv(document, options.csv));
  std::fputs(to_table(document, {.colour = wants_colour(STDOUT_FILENO)}).c_str(), stdout);
  std::printf("\nall samples: %s\n", json.c_str());
  // As a shell reports an end by a signal.
  if (const int signal = interrupt.signal(); signal != 0) return 128 + signal;
  return exit_status(document);
}

}  // namespace

Action add_run(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  auto& o = *options;
  app.add_option("SUITE", o.suite, "what is measured (see 'strata bench list')")
      ->capture_default_str();
  app.add_option("COMMAND", o.command, "what is started, after '--' (default: the suite's)");
  app.add_option("--targets", o.targets, "only these, separated by commas")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--image", o.image, "image that is started")->capture_default_str();
  app.add_option("--rootfs", o.rootfs, "a root file system in a directory, in place of an image");
  const auto count = CLI::Range(1, 1'000'000);
  auto* trials = app.add_option("--trials", o.plan.budget.trials, "trials of each target")
                     ->check(count)
                     ->capture_default_str();
  auto* warmups = app.add_option("--warmup", o.plan.budget.warmups, "trials before those")
                      ->check(CLI::NonNegativeNumber)
                      ->capture_default_str();
  auto* slow = app.add_option("--slow-trials", o.plan.slow_budget.trials,
                              "trials of targets that take seconds (VMs)")
                   ->check(count)
                   ->capture_default_str();
  app.add_option("--slow-warmup", o.plan.slow_budget.warmups, "trials before those")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--containers", o.containers, "how many run at once in the suite density")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  auto* quick = app.add_flag("--quick", o.quick, "a first impression: 20 trials, 3 of VMs");
  quick->excludes(trials)->excludes(slow)->excludes(warmups);
  app.add_option("--seed", o.seed, "of the trials' order (default: drawn, and recorded)")
      ->check(CLI::Range(uint64_t{1}, (uint64_t{1} << 53) - 1));
  app.add_option("--timeout", o.timeout_s,
                 "seconds after which a trial has failed and is killed (default: each target's)")
      ->check(CLI::PositiveNumber);
  app.add_option("--reference", o.reference, "target that ratios refer to (default: strata)");
  app.add_option("--probe", o.probe, "look into one more trial of each target: startup")
      ->check(CLI::IsMember({"startup"}));
  app.add_option("--label", o.label, "free text that names this run");
  app.add_option("--out", o.out, "directory for results")->capture_default_str();
  app.add_option("--json", o.json, "result file (default: <out>/<suite>/<time>-<label>.json)");
  app.add_option("--csv", o.csv, "the same as CSV");
  return [options](const Globals& globals) {
    if (options->timeout_s > 0)
      options->plan.timeout = std::chrono::milliseconds(std::llround(options->timeout_s * 1000));
    if (options->quick) {
      options->plan.budget.trials = 20;
      options->plan.slow_budget.trials = 3;
    }
    return run(*options, globals);
  };
}

}  // namespace strata::bench
