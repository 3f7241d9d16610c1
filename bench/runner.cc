#include "bench/runner.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "bench/reported_metrics.h"
#include "unionfs/base/undo.h"

namespace strata::bench {
namespace {

using Clock = std::chrono::steady_clock;

int64_t ns_since(Clock::time_point start) {
  return std::chrono::nanoseconds(Clock::now() - start).count();
}

// A target with its place in the document and its luck so far.
struct Entry {
  TargetDriver* driver = nullptr;
  size_t target = 0;  // index in Document::targets
  Launch launch;
  int failures = 0;
  bool stopped = false;
};

void add_metrics(Sample& sample, const Outcome& outcome) {
  const auto add = [&](const char* name, const std::optional<int64_t>& value) {
    if (value) sample.metrics[name] = static_cast<double>(*value);
  };
  add(metric::kFirstByte, outcome.first_byte_ns);
  add(metric::kExit, outcome.exit_ns);
  if (!outcome.exit_ns) return;  // it was never started: nothing was used
  // Only where something outlived what was started; else it says the same as exit_ns.
  if (outcome.processes_left > 0) add(metric::kGone, outcome.gone_ns);
  add(metric::kPeakRss, outcome.largest_rss_bytes);
  add(metric::kUser, outcome.user_ns);
  add(metric::kSystem, outcome.system_ns);
}

Sample make_sample(const Launch& launch, const Outcome& outcome, std::string error,
                   Clock::time_point run_start) {
  Sample sample;
  sample.exit_status = outcome.exit_status;
  sample.ok = error.empty();
  sample.error = std::move(error);
  // CLOCK_MONOTONIC is what std::chrono::steady_clock reads.
  if (outcome.started_ns != 0)
    sample.started_ns =
        outcome.started_ns - std::chrono::nanoseconds(run_start.time_since_epoch()).count();
  if (launch.reports_metrics) {
    sample.metrics = reported_metrics(outcome.out);
  } else {
    add_metrics(sample, outcome);
  }
  return sample;
}

class Runner {
 public:
  Runner(Document& document, const Targets& targets, const Workload& workload, Executor& executor,
         const RunPlan& plan, const RunHooks& hooks, TrialProbe* probe)
      : document_(document),
        targets_(targets),
        workload_(workload),
        executor_(executor),
        plan_(plan),
        hooks_(hooks),
        probe_(probe) {}

  Result<void> run() {
    Undo cleanup;
    set_up_all(cleanup);
    STRATA_CHECK(hooks_.save(document_));
    STRATA_CHECK(follow_schedule());
    if (probe_ != nullptr) probe_all();
    cleanup.run();
    judge_targets();
    return hooks_.save(document_);
  }

 private:
  void set_up_all(Undo& cleanup);
  void set_up(TargetDriver& driver, Undo& cleanup);
  Result<void> follow_schedule();
  Result<void> run_trial(Entry& entry, const Round& round);
  Result<Outcome> prepared_trial(Entry& entry, std::string& error);
  void note_failure(Entry& entry, const std::string& error);
  void probe_all();
  Result<void> run_probed_trial(Entry& entry);
  void judge_targets();

  Document& document_;
  const Targets& targets_;
  const Workload& workload_;
  Executor& executor_;
  const RunPlan& plan_;
  const RunHooks& hooks_;
  TrialProbe* probe_;
  Clock::time_point start_ = Clock::now();
  std::vector<Entry> entries_;
  int order_ = 0;
};

void Runner::set_up_all(Undo& cleanup) {
  for (const auto& driver : targets_) set_up(*driver, cleanup);
}

void Runner::set_up(TargetDriver& driver, Undo& cleanup) {
  const auto& info = driver.info();
  Target& target = document_.targets.emplace_back();
  target.name = info.name;
  target.kind = info.kind;
  target.description = info.description;
  target.availability = Availability::kSkipped;
  auto reason = driver.unavailable();
  if (!reason && hooks_.interrupted()) reason = "the run was interrupted";
  if (reason) {
    target.reason = std::move(*reason);
    return;
  }
  hooks_.progress("setting up " + info.name);
  const size_t index = document_.targets.size() - 1;
  cleanup.add([this, &driver, index] {
    const auto done = driver.cleanup();
    if (done) return;
    document_.skipped.push_back(
        {"clean-up of " + document_.targets[index].name, done.error().what});
  });
  const auto started = Clock::now();
  const auto ready = driver.setup(workload_);
  target.setup.push_back({"setup", ns_since(started)});
  target.version = driver.version();
  target.accelerator = driver.accelerator();
  if (!driver.note().empty()) target.description += " " + driver.note();
  if (!ready && hooks_.interrupted()) {
    target.reason = "the run was interrupted";
    return;
  }
  if (!ready) {
    if (ready.error().code != ENOTSUP) target.availability = Availability::kFailed;
    target.reason = ready.error().what;
    return;
  }
  Entry entry{.driver = &driver, .target = index, .launch = driver.launch()};
  if (plan_.timeout) entry.launch.timeout = *plan_.timeout;
  target.argv = entry.launch.argv;
  target.availability = Availability::kRan;
  target.trials = (info.is_slow ? plan_.slow_budget : plan_.budget).trials;
  entries_.push_back(std::move(entry));
}

Result<void> Runner::follow_schedule() {
  std::vector<Budget> budgets;
  budgets.reserve(entries_.size());
  for (const auto& entry : entries_)
    budgets.push_back(entry.driver->info().is_slow ? plan_.slow_budget : plan_.budget);
  const auto rounds = make_schedule(budgets, plan_.seed);
  for (const auto& round : rounds) {
    hooks_.progress("round " + std::to_string(round.number + 1) + " of " +
                    std::to_string(rounds.size()) + (round.warmup ? " (warm-up)" : ""));
    for (const size_t index : round.order) {
      if (!hooks_.interrupted() && !entries_[index].stopped)
        STRATA_CHECK(run_trial(entries_[index], round));
    }
    if (hooks_.interrupted()) {
      document_.skipped.push_back(
          {"the rest of the run", "interrupted in round " + std::to_string(round.number + 1) +
                                      " of " + std::to_string(rounds.size())});
      return {};
    }
    STRATA_CHECK(hooks_.save(document_));
  }
  return {};
}

// One trial with what belongs before and after it. `error` is why it doesn't count.
Result<Outcome> Runner::prepared_trial(Entry& entry, std::string& error) {
  if (const auto prepared = entry.driver->prepare(); !prepared) {
    error = "prepare: " + prepared.error().what;
    return Outcome{};
  }
  STRATA_TRY(Outcome outcome, executor_.run(entry.launch));
  error = verdict(entry.launch, outcome);
  if (const auto concluded = entry.driver->conclude(error); !concluded) {
    if (error.empty()) error = "conclude: " + concluded.error().what;
  }
  return outcome;
}

Result<void> Runner::run_trial(Entry& entry, const Round& round) {
  std::string error;
  const int64_t now = ns_since(start_);
  STRATA_TRY(const Outcome outcome, prepared_trial(entry, error));
  if (!error.empty() && !outcome.interrupted) note_failure(entry, error);
  Sample sample = make_sample(entry.launch, outcome, std::move(error), start_);
  if (outcome.started_ns == 0) sample.started_ns = now;
  sample.target = document_.targets[entry.target].name;
  sample.round = round.number;
  sample.order = order_++;
  sample.warmup = round.warmup;
  document_.samples.push_back(std::move(sample));
  return {};
}

void Runner::note_failure(Entry& entry, const std::string& error) {
  if (++entry.failures < plan_.max_failures) return;
  entry.stopped = true;
  document_.targets[entry.target].reason =
      "stopped after " + std::to_string(entry.failures) + " failed trials: " + error;
}

void Runner::probe_all() {
  for (auto& entry : entries_) {
    if (entry.stopped || hooks_.interrupted()) continue;
    const std::string& name = document_.targets[entry.target].name;
    hooks_.progress("looking into " + name);
    if (const auto done = run_probed_trial(entry); !done)
      document_.skipped.push_back({"probe of " + name, done.error().what});
  }
}

Result<void> Runner::run_probed_trial(Entry& entry) {
  STRATA_CHECK(entry.driver->prepare());
  auto breakdown = probe_->observe(entry.launch);
  const auto concluded = entry.driver->conclude(breakdown ? std::string() : breakdown.error().what);
  if (!breakdown) return std::unexpected(std::move(breakdown).error());
  breakdown->target = document_.targets[entry.target].name;
  document_.breakdowns.push_back(*std::move(breakdown));
  return concluded;
}

// A target of which no trial counts has failed, whatever else there is to say about it.
void Runner::judge_targets() {
  for (const auto& entry : entries_) {
    Target& target = document_.targets[entry.target];
    const auto counts = [&](const Sample& s) {
      return s.target == target.name && s.ok && !s.warmup;
    };
    if (std::any_of(document_.samples.begin(), document_.samples.end(), counts)) continue;
    const bool unlucky = entry.failures == 0 && hooks_.interrupted();
    target.availability = unlucky ? Availability::kSkipped : Availability::kFailed;
    if (target.reason.empty())
      target.reason = unlucky ? "the run was interrupted" : "no trial succeeded";
  }
}

}  // namespace

Result<void> run_trials(Document& document, const Targets& targets, const Workload& workload,
                        Executor& executor, const RunPlan& plan, const RunHooks& hooks,
                        TrialProbe* probe) {
  document.run.seed = plan.seed;
  document.run.trials = plan.budget.trials;
  document.run.warmups = plan.budget.warmups;
  return Runner(document, targets, workload, executor, plan, hooks, probe).run();
}

}  // namespace strata::bench
