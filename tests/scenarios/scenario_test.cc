#include "scenarios/scenario.h"

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::scenarios {
namespace {

using strata::testing::FailsWith;
using strata::testing::IsOk;

std::string with(const std::string& members) {
  return R"({"title": "t", "why": "w", "run": [{"name": "n", "run": ["true"]}])" + members + "}";
}

TEST(Scenario, ReadsEveryMemberOfAStep) {
  STRATA_ASSERT_OK(const Scenario scenario, parse_scenario(R"({"title": "t", "why": "w", "run": [
    {"name": "n", "run": "echo ${id}", "unless": ["false"], "status": "any", "capture": "x",
     "capture_json": "/0", "timeout_s": 5, "retry_for_s": 7, "stdout_matches": "a+"}]})",
                                                           "case"));
  const Step& step = scenario.run.front();
  EXPECT_EQ(step.run, (std::vector<std::string>{"sh", "-ec", "echo ${id}"}));
  EXPECT_EQ(step.unless, std::vector<std::string>{"false"});
  EXPECT_FALSE(step.status.has_value());
  EXPECT_EQ(step.capture_json, "/0");
  EXPECT_EQ(step.timeout.count(), 5);
  EXPECT_EQ(step.retry_for.count(), 7);
}

TEST(Scenario, NamesThePlaceOfAMistake) {
  EXPECT_THAT(parse_scenario(with(R"(, "extra": 1)"), "case"),
              FailsWith(EINVAL, "case: unknown member 'extra'"));
  EXPECT_THAT(parse_scenario(with(R"(, "setup": [{"name": "n", "run": ["true"], "captuer": "x"}])"),
                             "case"),
              FailsWith(EINVAL, "case: setup[0]: unknown member 'captuer'"));
  EXPECT_THAT(parse_scenario(with(R"(, "expect": [{"that": "x", "op": "=~"}])"), "case"),
              FailsWith(EINVAL, "unknown comparison '=~'"));
  EXPECT_THAT(parse_scenario(R"({"title": "t", "why": "w"})", "case"), FailsWith(EINVAL, "'run'"));
  EXPECT_THAT(parse_scenario("{", "case"), FailsWith(EINVAL, "case"));
}

TEST(Scenario, FindsUndefinedVariablesBeforeAnythingRuns) {
  EXPECT_THAT(parse_scenario(R"({"title": "t", "why": "w", "run": [
        {"name": "first", "run": ["echo", "${later}"]},
        {"name": "second", "run": ["echo"], "capture": "later"}]})",
                             "case"),
              FailsWith(EINVAL, "case: run: first: no variable 'later'"));
}

TEST(Scenario, Expands) {
  const Variables variables{{"a", "1"}, {"b", "${a}"}};
  EXPECT_EQ(expand("x${a}y${b}", variables), "x1y${a}");
  EXPECT_EQ(expand("$${a} $a", variables), "${a} $a");
  EXPECT_THAT(expand("${a", variables), FailsWith(EINVAL));
}

TEST(Scenario, Compares) {
  EXPECT_EQ(holds(Comparison::kEqual, "a", "a"), true);
  EXPECT_EQ(holds(Comparison::kLess, "9", "10"), true);  // as numbers, not as text
  EXPECT_EQ(holds(Comparison::kGreaterEqual, "1.5", "1.5"), true);
  EXPECT_THAT(holds(Comparison::kLess, "9", "ten"), FailsWith(EINVAL, "'ten' is not a number"));
}

TEST(Scenario, ThoseThatAreCommittedCanBeRead) {
  STRATA_ASSERT_OK(const auto all, load_directory(strata::testing::source_dir() / "scenarios"));
  EXPECT_GE(all.size(), 2U);
}

}  // namespace
}  // namespace strata::scenarios
