#include "scenarios/runner.h"

#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/json_schema.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/json.h"

namespace strata::scenarios {
namespace {

using strata::testing::FailsWith;
using strata::testing::TempDir;

Report run(const std::string& members, RunOptions options = {}) {
  const auto scenario = parse_scenario(R"({"title": "t", "why": "w", )" + members + "}", "case");
  EXPECT_THAT(scenario, strata::testing::IsOk());
  options.root = "/nowhere";
  const auto report = run_scenario(*scenario, options);
  EXPECT_THAT(report, strata::testing::IsOk());
  return *report;
}

TEST(Runner, CapturesJudgesAndMeasures) {
  const Report report = run(R"(
    "run": [{"name": "one", "run": ["echo", "[{\"n\": 42}]"], "capture": "n",
             "capture_json": "/0/n"}],
    "expect": [{"that": "it is 42", "left": "${n}", "op": "==", "right": "42"}],
    "measure": [{"name": "n", "unit": "things", "value": "${n}"}])");
  EXPECT_EQ(report.outcome, Outcome::kPassed) << report.problem;
  ASSERT_EQ(report.measurements.size(), 1U);
  EXPECT_EQ(report.measurements[0].value, 42);
}

TEST(Runner, CleansUpAfterAFailure) {
  const TempDir dir;
  const std::string file = dir / "left";
  const Report report = run(R"("run": [
      {"name": "make", "run": ["touch", ")" +
                            file + R"("]},
      {"name": "fail", "run": "echo why >&2; exit 3"},
      {"name": "never", "run": ["true"]}],
    "cleanup": [{"name": "first fails", "run": ["false"]},
                {"name": "remove", "run": ["rm", ")" +
                            file + R"("]}])");
  EXPECT_EQ(report.outcome, Outcome::kFailed);
  EXPECT_EQ(report.problem, "fail: status 3, expected 0: why");
  EXPECT_EQ(report.steps.size(), 4U);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_FALSE(std::filesystem::exists(report.variables.at("work")));
}

TEST(Runner, AFailedCleanupIsAFailure) {
  const Report report = run(R"("run": [{"name": "n", "run": ["true"]}],
                               "cleanup": [{"name": "c", "run": ["false"]}])");
  EXPECT_EQ(report.outcome, Outcome::kFailed);
}

TEST(Runner, CleansUpWhenInterrupted) {
  const Report report = run(R"("run": [
      {"name": "interrupt the runner", "run": "kill -INT $PPID"},
      {"name": "never", "run": ["true"]}],
    "cleanup": [{"name": "clean", "run": ["true"]}])");
  EXPECT_EQ(report.outcome, Outcome::kInterrupted);
  ASSERT_EQ(report.steps.size(), 2U);
  EXPECT_EQ(report.steps.back().phase, "cleanup");
  EXPECT_TRUE(report.steps.back().passed);
}

TEST(Runner, AnInterruptKillsTheStepThatRuns) {
  const Report report = run(R"("run": [
      {"name": "hang", "run": "kill -TERM $PPID; setsid sleep 108; echo went on"}],
    "cleanup": [{"name": "clean", "run": ["true"]}])");
  EXPECT_EQ(report.outcome, Outcome::kInterrupted);
  EXPECT_EQ(report.signal, SIGTERM);
  EXPECT_LT(report.wall, std::chrono::seconds(30));
  ASSERT_EQ(report.steps.size(), 2U);
  EXPECT_FALSE(report.steps[0].passed);
  EXPECT_TRUE(report.steps[0].interrupted);
  EXPECT_EQ(report.steps[0].problem, "interrupted");
  EXPECT_TRUE(report.steps[1].passed);
}

TEST(Runner, AnInterruptEndsRetries) {
  const Report report = run(R"("run": [
      {"name": "try", "retry_for_s": 60, "run": "kill -INT $PPID; exit 1"}])");
  EXPECT_EQ(report.outcome, Outcome::kInterrupted);
  EXPECT_EQ(report.steps[0].attempts, 1);
}

TEST(Runner, TheCleanupGoesOnWhateverSignalsCome) {
  const Report report = run(R"("run": [{"name": "n", "run": "kill -HUP $PPID; sleep 109"}],
    "cleanup": [{"name": "first", "run": "kill -INT $PPID; kill -TERM $PPID; sleep 0.1"},
                {"name": "second", "run": ["true"]}])");
  EXPECT_EQ(report.outcome, Outcome::kInterrupted);
  ASSERT_EQ(report.steps.size(), 3U);
  EXPECT_TRUE(report.steps[1].passed && report.steps[2].passed);
}

TEST(Runner, RetriesAndSkipsWhatIsNotNeeded) {
  const Report report = run(R"("run": [
      {"name": "third time lucky", "retry_for_s": 20,
       "run": "echo x >> ${work}/tries; test $(wc -l < ${work}/tries) -eq 3"},
      {"name": "not needed", "unless": ["true"], "run": ["false"]}])");
  EXPECT_EQ(report.outcome, Outcome::kPassed) << report.problem;
  EXPECT_EQ(report.steps[0].attempts, 3);
  EXPECT_FALSE(report.steps[1].needed);
}

TEST(Runner, StopsAStepThatHangs) {
  const Report report = run(R"("run": [{"name": "hang", "run": ["sleep", "60"], "timeout_s": 1}])");
  EXPECT_EQ(report.outcome, Outcome::kFailed);
  EXPECT_NE(report.problem.find("longer than 1 s"), std::string::npos) << report.problem;
}

TEST(Runner, SkipsWithoutItsPrograms) {
  const Report report =
      run(R"("requires": ["no-such-program"], "run": [{"name": "n", "run": ["false"]}])");
  EXPECT_EQ(report.outcome, Outcome::kSkipped);
  EXPECT_TRUE(report.steps.empty());
}

TEST(Runner, RefusesUnknownParameters) {
  const auto scenario =
      parse_scenario(R"({"title": "t", "why": "w", "run": [{"name": "n", "run": ["true"]}]})", "c");
  RunOptions options;
  options.set["nmae"] = "x";
  EXPECT_THAT(run_scenario(*scenario, options), FailsWith(EINVAL, "no parameter 'nmae'"));
}

TEST(Runner, ResultIsJsonWhateverTheProgramsPrint) {
  const Report report = run(R"("run": [{"name": "n", "run": "printf '\\377\\376'"}])");
  const auto json = parse_json(to_json(report), "result");
  ASSERT_THAT(json, strata::testing::IsOk());
  EXPECT_EQ(json->at("outcome"), "passed");
}

TEST(Runner, ResultSatisfiesItsSchema) {
  STRATA_NEEDS_SCHEMA_CHECKER();
  const Report report = run(R"("run": [
      {"name": "one", "run": ["echo", "7"], "capture": "n"}, {"name": "two", "run": ["false"]}],
    "expect": [{"that": "x", "left": "${n}", "op": "<", "right": "1"}],
    "measure": [{"name": "n", "unit": "things", "value": "${n}"}])");
  EXPECT_EQ(strata::testing::schema_faults("strata-scenario-result-1.schema.json", to_json(report)),
            "");
}

}  // namespace
}  // namespace strata::scenarios
