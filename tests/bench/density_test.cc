// strata-bench-density as a black box, with commands that only note that they were called.

#include <gmock/gmock.h>

#include "bench/reported_metrics.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"

namespace strata::bench {
namespace {

using ::testing::HasSubstr;

Command density(const std::vector<std::string>& arguments) {
  Command command{.argv = {testing::own_program("strata-bench-density")},
                  .timeout = std::chrono::seconds(60)};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  return command;
}

// What the commands are told, a line each: of what, and the number.
std::vector<std::string> marking(const testing::TempDir& dir, const std::string& kind) {
  return {"/bin/sh", "-c", "echo " + kind + " $1 >> " + (dir / "calls").string(), "sh", "{}"};
}

TEST(Density, StartsAndRemovesEachOnceAndReportsAllMetrics) {
  const testing::TempDir dir;
  std::vector<std::string> arguments{"10", "40"};
  for (const char* kind : {"start", "run", "remove"}) {
    arguments.emplace_back("--");
    for (auto& word : marking(dir, kind)) arguments.push_back(std::move(word));
  }
  STRATA_ASSERT_OK(const auto done, run_checked(density(arguments)));
  const auto metrics = reported_metrics(done.out);
  for (const char* name :
       {"start_first_ns", "start_last_ns", "run_at_0_ns", "run_at_1_ns", "run_at_10_ns",
        "own_private_bytes", "system_bytes", "remove_ns", "run_1_per_second", "run_2_per_second",
        "run_32_per_second", "run_32_p95_ns", "run_32_cpu_ns"})
    EXPECT_TRUE(metrics.contains(name)) << name;
  STRATA_ASSERT_OK(const auto calls, read_file(dir / "calls"));
  const auto count = [&](const std::string& line) {
    size_t found = 0;
    for (auto at = calls.find(line); at != std::string::npos; at = calls.find(line, at + 1))
      ++found;
    return found;
  };
  for (int i = 0; i < 10; ++i) {
    const auto number = std::to_string(i) + "\n";
    EXPECT_EQ(count("start " + number), 1U) << i;
    EXPECT_EQ(count("remove " + number), 1U) << i;
  }
  EXPECT_EQ(count("run "), 3 * 20U + 3 * 40U);
}

TEST(Density, SaysWhichCommandFailed) {
  STRATA_ASSERT_OK(const auto done,
                   run_command(density({"1", "1", "--", "/bin/false", "x", "--", "/bin/true", "x",
                                        "--", "/bin/true", "x"})));
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.err, HasSubstr("/bin/false x"));
}

TEST(Density, RefusesWordsThatMakeNoSense) {
  STRATA_ASSERT_OK(const auto done, run_command(density({"1", "1", "--", "/bin/true"})));
  EXPECT_EQ(done.status, 2);
}

}  // namespace
}  // namespace strata::bench
