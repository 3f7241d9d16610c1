#include "unionfs/base/subprocess.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace strata {
namespace {

using testing::FailsWith;

TEST(Subprocess, GivesStatusAndStreams) {
  STRATA_ASSERT_OK(const auto done,
                   run_command({.argv = {"sh", "-c", "cat; echo err >&2; exit 3"}, .input = "in"}));
  EXPECT_EQ(done.status, 3);
  EXPECT_EQ(done.out, "in");
  EXPECT_EQ(done.err, "err\n");
}

TEST(Subprocess, ReportsAMissingProgram) {
  EXPECT_THAT(run_command({.argv = {"no-such-program"}}), FailsWith(ENOENT, "no-such-program"));
}

TEST(Subprocess, StopsAtTheTimeoutWithAllItStarted) {
  STRATA_ASSERT_OK(const auto done, run_command({.argv = {"sh", "-c", "sleep 100 & wait"},
                                                 .timeout = std::chrono::milliseconds(50)}));
  EXPECT_TRUE(done.timed_out);
  EXPECT_EQ(done.status, 128 + 9);
}

TEST(Subprocess, CheckedQuotesStandardError) {
  EXPECT_THAT(run_checked({.argv = {"sh", "-c", "echo no space >&2; exit 1"}}),
              FailsWith(ECHILD, "sh failed with status 1: no space"));
}

TEST(Subprocess, InputThatNobodyReadsIsNoError) {
  STRATA_ASSERT_OK(const auto done,
                   run_command({.argv = {"true"}, .input = std::string(1 << 20, 'x')}));
  EXPECT_EQ(done.status, 0);
}

TEST(Subprocess, LargeOutputIsWhole) {
  STRATA_ASSERT_OK(const auto done,
                   run_command({.argv = {"sh", "-c", "head -c 3000000 /dev/zero"}}));
  EXPECT_EQ(done.out.size(), 3'000'000U);
}

}  // namespace
}  // namespace strata
