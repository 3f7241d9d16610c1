#include "unionfs/base/interrupt.h"

#include <unistd.h>

#include <csignal>

#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "unionfs/base/subprocess.h"

namespace strata {
namespace {

using testing::FailsWith;

TEST(Interrupt, NotesEachSignalAndTakesItUp) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    STRATA_ASSERT_OK(const Interrupt interrupt, Interrupt::watch());
    EXPECT_FALSE(interrupt.raised());
    ::kill(::getpid(), signal);
    ::kill(::getpid(), signal);
    EXPECT_EQ(interrupt.signal(), signal);
    EXPECT_EQ(interrupt.signal(), signal) << "asking does not take it";
  }
  // Still here: the end of the watch did not let the signals through.
  STRATA_ASSERT_OK(const Interrupt interrupt, Interrupt::watch());
  EXPECT_EQ(interrupt.signal(), 0);
}

TEST(Interrupt, LeavesAnIgnoredHangUpIgnored) {
  const auto previous = std::signal(SIGHUP, SIG_IGN);
  {
    STRATA_ASSERT_OK(const Interrupt interrupt, Interrupt::watch());
    ::kill(::getpid(), SIGHUP);
    EXPECT_FALSE(interrupt.raised());
  }
  std::signal(SIGHUP, previous);
}

TEST(Interrupt, EndsACommandWithAllThatItStarted) {
  STRATA_ASSERT_OK(const Interrupt interrupt, Interrupt::watch());
  const auto started = std::chrono::steady_clock::now();
  // The shell would go on to say so if it saw the sleep end.
  const Command command{
      .argv = {"sh", "-c", "setsid sleep 107 & kill -INT $PPID; wait; echo went on"},
      .timeout = std::chrono::minutes(1),
      .stop_fd = interrupt.fd()};
  STRATA_ASSERT_OK(const auto done, run_command(command));
  EXPECT_TRUE(done.stopped);
  EXPECT_FALSE(done.timed_out);
  EXPECT_EQ(done.status, 128 + SIGKILL);
  EXPECT_EQ(done.out, "");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(20));
  EXPECT_THAT(run_checked(command), FailsWith(EINTR, "sh was interrupted"));
}

}  // namespace
}  // namespace strata
