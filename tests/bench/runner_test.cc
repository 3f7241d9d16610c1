#include "bench/runner.h"

#include <algorithm>
#include <deque>
#include <map>

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace strata::bench {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;

using Journal = std::vector<std::string>;

// Does what a table says, and writes down the order in which things happened.
class FakeExecutor final : public Executor {
 public:
  explicit FakeExecutor(Journal& journal) : journal_(journal) {}

  Result<Outcome> run(const Launch& launch) override {
    const std::string name = launch.argv.front();
    journal_.push_back("run " + name);
    if (broken) return fail(EMFILE, "no more descriptors");
    auto& planned = outcomes[name];
    Outcome outcome{.first_byte_ns = 1000, .exit_ns = 2000, .gone_ns = 2000, .out = "x"};
    if (!planned.empty()) {
      outcome = planned.front();
      planned.pop_front();
    }
    return outcome;
  }

  std::map<std::string, std::deque<Outcome>> outcomes;  // then: success
  bool broken = false;

 private:
  Journal& journal_;
};

struct FakePlan {
  std::optional<std::string> unavailable;
  Result<void> setup;
  Result<void> cleanup;
  bool is_slow = false;
};

class FakeTarget final : public TargetDriver {
 public:
  FakeTarget(const std::string& name, Journal& journal, FakePlan plan)
      : TargetDriver(
            {.name = name, .kind = "process", .description = "a fake", .is_slow = plan.is_slow}),
        journal_(journal),
        plan_(std::move(plan)) {}

  std::optional<std::string> unavailable() const override { return plan_.unavailable; }
  Result<void> setup(const Workload& /*workload*/) override {
    note("setup");
    version_ = "1.0";
    return plan_.setup;
  }
  Result<void> prepare() override {
    note("prepare");
    return {};
  }
  Launch launch() const override { return {.argv = {info().name}}; }
  Result<void> conclude(const std::string& error) override {
    note(error.empty() ? "conclude" : "recover");
    return {};
  }
  Result<void> cleanup() override {
    note("cleanup");
    return plan_.cleanup;
  }

 private:
  void note(const std::string& what) { journal_.push_back(what + " " + info().name); }
  Journal& journal_;
  FakePlan plan_;
};

class RunnerTest : public ::testing::Test {
 protected:
  void add(const std::string& name, FakePlan plan = {}) {
    targets_.push_back(std::make_unique<FakeTarget>(name, journal_, std::move(plan)));
  }

  Result<void> run() {
    return run_trials(document_, targets_, Workload{}, executor_, plan_, hooks_);
  }

  std::vector<std::string> sampled() const {
    std::vector<std::string> names;
    names.reserve(document_.samples.size());
    for (const auto& sample : document_.samples) names.push_back(sample.target);
    return names;
  }

  const Target& target(const std::string& name) const { return *find_target(document_, name); }

  Journal journal_;
  FakeExecutor executor_{journal_};
  Targets targets_;
  Document document_;
  RunPlan plan_{.budget = {2, 0}, .slow_budget = {1, 0}, .seed = 1};
  RunHooks hooks_;
};

TEST_F(RunnerTest, KeepsTheOrderOfCalls) {
  add("a");
  ASSERT_THAT(run(), IsOk());
  EXPECT_THAT(journal_, ElementsAre("setup a", "prepare a", "run a", "conclude a", "prepare a",
                                    "run a", "conclude a", "cleanup a"));
}

TEST_F(RunnerTest, InterleavesTargetsAndCleansUpInReverse) {
  add("a");
  add("b");
  ASSERT_THAT(run(), IsOk());
  ASSERT_EQ(document_.samples.size(), 4U);
  EXPECT_NE(sampled()[0], sampled()[1]);
  EXPECT_NE(sampled()[2], sampled()[3]);
  EXPECT_THAT(std::vector(journal_.end() - 2, journal_.end()),
              ElementsAre("cleanup b", "cleanup a"));
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(document_.samples[i].order, i);
    EXPECT_EQ(document_.samples[i].round, i / 2);
  }
}

TEST_F(RunnerTest, TheSameSeedGivesTheSameOrder) {
  plan_.budget = {30, 2};
  add("a");
  add("b");
  add("c");
  ASSERT_THAT(run(), IsOk());
  const auto first = sampled();
  document_ = {};
  ASSERT_THAT(run(), IsOk());
  EXPECT_EQ(first, sampled());
}

TEST_F(RunnerTest, SlowTargetsHaveTheirOwnBudget) {
  plan_.budget = {10, 2};
  plan_.slow_budget = {3, 1};
  add("a");
  add("vm", {.is_slow = true});
  ASSERT_THAT(run(), IsOk());
  EXPECT_EQ(std::ranges::count(sampled(), "a"), 12);
  EXPECT_EQ(std::ranges::count(sampled(), "vm"), 4);
  EXPECT_EQ(target("vm").trials, 3);
  EXPECT_EQ(std::ranges::count_if(document_.samples, &Sample::warmup), 3);
}

TEST_F(RunnerTest, KeepsTheReasonOfWhatIsSkipped) {
  add("a", {.unavailable = "a is not installed"});
  add("b", {.setup = fail(ENOTSUP, "b wants an image")});
  add("c");
  ASSERT_THAT(run(), IsOk());
  EXPECT_EQ(target("a").availability, Availability::kSkipped);
  EXPECT_EQ(target("a").reason, "a is not installed");
  EXPECT_EQ(target("b").availability, Availability::kSkipped);
  EXPECT_EQ(target("b").reason, "b wants an image");
  EXPECT_EQ(target("c").availability, Availability::kRan);
  EXPECT_EQ(target("c").version, "1.0");
  EXPECT_EQ(std::ranges::count(journal_, "setup a"), 0);
  EXPECT_EQ(std::ranges::count(sampled(), "c"), 2);
}

TEST_F(RunnerTest, CleansUpAfterASetupThatFailed) {
  add("a", {.setup = fail(EIO, "disk on fire")});
  ASSERT_THAT(run(), IsOk());
  EXPECT_THAT(journal_, ElementsAre("setup a", "cleanup a"));
  EXPECT_EQ(target("a").availability, Availability::kFailed);
  EXPECT_EQ(target("a").reason, "disk on fire");
}

TEST_F(RunnerTest, KeepsFailedTrialsAsFailures) {
  executor_.outcomes["a"] = {Outcome{.exit_ns = 5, .exit_status = 3, .err = "one\ntwo\n"}};
  add("a");
  ASSERT_THAT(run(), IsOk());
  ASSERT_EQ(document_.samples.size(), 2U);
  EXPECT_FALSE(document_.samples[0].ok);
  EXPECT_EQ(document_.samples[0].exit_status, 3);
  EXPECT_EQ(document_.samples[0].error, "exit status 3: two");
  EXPECT_TRUE(document_.samples[1].ok);
  EXPECT_EQ(std::ranges::count(journal_, "recover a"), 1);
  EXPECT_EQ(target("a").availability, Availability::kRan);
}

TEST_F(RunnerTest, StopsATargetThatKeepsFailing) {
  plan_.budget = {10, 0};
  executor_.outcomes["bad"] = {10, Outcome{.error = "hung until the time limit"}};
  add("bad");
  add("good");
  ASSERT_THAT(run(), IsOk());
  EXPECT_EQ(std::ranges::count(sampled(), "bad"), 3);
  EXPECT_EQ(std::ranges::count(sampled(), "good"), 10);
  EXPECT_EQ(target("bad").availability, Availability::kFailed);
  EXPECT_THAT(target("bad").reason, HasSubstr("after 3 failed trials: hung"));
}

TEST_F(RunnerTest, SavesAfterEveryRound) {
  std::vector<size_t> saved;
  hooks_.save = [&](const Document& document) {
    saved.push_back(document.samples.size());
    return Result<void>();
  };
  add("a");
  add("b");
  ASSERT_THAT(run(), IsOk());
  EXPECT_THAT(saved, ElementsAre(0, 2, 4, 4));
}

TEST_F(RunnerTest, CleansUpWhenResultsCantBeSaved) {
  hooks_.save = [](const Document& document) -> Result<void> {
    if (document.samples.empty()) return {};
    return fail(ENOSPC, "disk full");
  };
  add("a");
  EXPECT_THAT(run(), FailsWith(ENOSPC));
  EXPECT_EQ(journal_.back(), "cleanup a");
}

TEST_F(RunnerTest, CleansUpWhenTheExecutorIsBroken) {
  executor_.broken = true;
  add("a");
  EXPECT_THAT(run(), FailsWith(EMFILE));
  EXPECT_EQ(journal_.back(), "cleanup a");
}

TEST_F(RunnerTest, AnInterruptedRunKeepsWhatItHas) {
  plan_.budget = {100, 0};
  hooks_.interrupted = [&] { return document_.samples.size() >= 5; };
  add("a");
  add("b");
  ASSERT_THAT(run(), IsOk());
  EXPECT_EQ(document_.samples.size(), 5U);
  ASSERT_EQ(document_.skipped.size(), 1U);
  EXPECT_THAT(document_.skipped[0].reason, HasSubstr("interrupted in round 3 of 100"));
  EXPECT_THAT(std::vector(journal_.end() - 2, journal_.end()),
              ElementsAre("cleanup b", "cleanup a"));
}

TEST_F(RunnerTest, ATargetThatAnInterruptKeptFromRunningHasNotFailed) {
  plan_.budget = {2, 0};
  hooks_.interrupted = [&] { return !document_.samples.empty(); };
  add("a");
  add("b");
  ASSERT_THAT(run(), IsOk());
  ASSERT_EQ(document_.samples.size(), 1U);
  const std::string other = document_.samples[0].target == "a" ? "b" : "a";
  EXPECT_EQ(target(other).availability, Availability::kSkipped);
  EXPECT_EQ(target(other).reason, "the run was interrupted");
}

TEST_F(RunnerTest, ASetUpThatAnInterruptEndedHasNotFailed) {
  hooks_.interrupted = [&] { return !journal_.empty(); };
  add("a", {.setup = fail(EINTR, "podman was interrupted")});
  add("b");
  ASSERT_THAT(run(), IsOk());
  EXPECT_THAT(journal_, ElementsAre("setup a", "cleanup a"));
  for (const char* name : {"a", "b"}) {
    EXPECT_EQ(target(name).availability, Availability::kSkipped);
    EXPECT_EQ(target(name).reason, "the run was interrupted");
  }
}

TEST_F(RunnerTest, ACleanUpThatFailsIsOnRecord) {
  add("a", {.cleanup = fail(EBUSY, "cgroup is busy")});
  ASSERT_THAT(run(), IsOk());
  ASSERT_EQ(document_.skipped.size(), 1U);
  EXPECT_EQ(document_.skipped[0].what, "clean-up of a");
  EXPECT_EQ(document_.skipped[0].reason, "cgroup is busy");
}

TEST_F(RunnerTest, MetricsAreThoseThatWereSeen) {
  executor_.outcomes["a"] = {Outcome{.first_byte_ns = 10,
                                     .exit_ns = 20,
                                     .gone_ns = 30,
                                     .processes_left = 1,
                                     .user_ns = 1,
                                     .system_ns = 2,
                                     .largest_rss_bytes = 4096,
                                     .out = "x"},
                             Outcome{.error = "could not be started"}};
  add("a");
  ASSERT_THAT(run(), IsOk());
  const std::map<std::string, double> expected{{metric::kFirstByte, 10}, {metric::kExit, 20},
                                               {metric::kGone, 30},      {metric::kUser, 1},
                                               {metric::kSystem, 2},     {metric::kPeakRss, 4096}};
  EXPECT_EQ(document_.samples[0].metrics, expected);
  EXPECT_THAT(document_.samples[1].metrics, IsEmpty());
}

class FakeProbe final : public TrialProbe {
 public:
  explicit FakeProbe(Journal& journal) : journal_(journal) {}
  Result<ProbeBreakdown> observe(const Launch& launch) override {
    journal_.push_back("observe " + launch.argv.front());
    if (launch.argv.front() == "b") return fail(EPERM, "not allowed");
    return ProbeBreakdown{.probe = "fake"};
  }

 private:
  Journal& journal_;
};

TEST_F(RunnerTest, ProbedTrialsComeLastAndAreNoSamples) {
  plan_.budget = {1, 0};
  FakeProbe probe(journal_);
  add("a");
  add("b");
  ASSERT_THAT(run_trials(document_, targets_, Workload{}, executor_, plan_, hooks_, &probe),
              IsOk());
  EXPECT_THAT(std::vector(journal_.end() - 8, journal_.end()),
              ElementsAre("prepare a", "observe a", "conclude a", "prepare b", "observe b",
                          "recover b", "cleanup b", "cleanup a"));
  EXPECT_EQ(document_.samples.size(), 2U);
  ASSERT_EQ(document_.breakdowns.size(), 1U);
  EXPECT_EQ(document_.breakdowns[0].target, "a");
  ASSERT_EQ(document_.skipped.size(), 1U);
  EXPECT_EQ(document_.skipped[0].what, "probe of b");
  EXPECT_EQ(document_.skipped[0].reason, "not allowed");
}

TEST(Verdict, OutputHasToBeWhatWasPromised) {
  const Launch launch{.argv = {"x"}, .expected_output = "started\n"};
  Outcome outcome{.first_byte_ns = 1, .out = "started\n"};
  EXPECT_EQ(verdict(launch, outcome), "");
  outcome.out = "SeaBIOS\nstarted\n";
  EXPECT_NE(verdict(launch, outcome), "");
  outcome = {};
  EXPECT_EQ(verdict(launch, outcome), "the program wrote nothing");
}

}  // namespace
}  // namespace strata::bench
