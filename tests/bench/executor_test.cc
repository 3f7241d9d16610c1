// The real executor with real processes.

#include "bench/executor.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include <gmock/gmock.h>

#include "bench/mount_view.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/interrupt.h"
#include "unionfs/base/process_tree.h"

namespace strata::bench {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
constexpr int64_t kMs = 1'000'000;

class ExecutorTest : public ::testing::Test {
 protected:
  static Launch shell(const std::string& script) {
    return {.argv = {"/bin/sh", "-c", script}, .env = {"PATH=/usr/bin:/bin"}, .timeout = 20s};
  }

  Outcome run(const Launch& launch) {
    auto outcome = executor_.run(launch);
    EXPECT_THAT(outcome, testing::IsOk());
    return outcome ? *outcome : Outcome{};
  }

  ProcessExecutor executor_{testing::own_program("strata-bench-launch")};
};

TEST_F(ExecutorTest, TimesTheFirstByteAndTheEnd) {
  const auto outcome = run(shell("sleep 0.1; echo hello; sleep 0.1"));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.out, "hello\n");
  EXPECT_EQ(outcome.exit_status, 0);
  ASSERT_TRUE(outcome.first_byte_ns && outcome.exit_ns && outcome.gone_ns);
  EXPECT_GE(*outcome.first_byte_ns, 100 * kMs);
  EXPECT_GE(*outcome.exit_ns, *outcome.first_byte_ns + 50 * kMs);
  EXPECT_EQ(*outcome.gone_ns, *outcome.exit_ns);
  EXPECT_EQ(outcome.processes_left, 0);
}

TEST_F(ExecutorTest, MeasuresCpuTimeAndMemoryOfAllProcesses) {
  // A child of a child that fills 64 MiB.
  const auto outcome =
      run(shell("sh -c 'head -c 67108864 /dev/zero | tail -c 67108864 >/dev/null'; echo x"));
  EXPECT_GE(outcome.largest_rss_bytes, 64 << 20);
  EXPECT_GT(outcome.user_ns + outcome.system_ns, 1 * kMs);
}

TEST_F(ExecutorTest, OurOwnMemoryIsNotTheProgramsPeak) {
  std::vector<char> ballast(size_t{64} << 20, 'x');
  EXPECT_LT(run(shell("echo x")).largest_rss_bytes, 16 << 20);
  EXPECT_EQ(ballast.back(), 'x');
}

TEST_F(ExecutorTest, ReportsFailure) {
  const Launch launch = shell("echo out; echo first >&2; echo reason >&2; exit 7");
  const auto outcome = run(launch);
  EXPECT_EQ(outcome.exit_status, 7);
  EXPECT_EQ(outcome.err, "first\nreason\n");
  EXPECT_EQ(verdict(launch, outcome), "exit status 7: reason");
}

TEST_F(ExecutorTest, ReportsACrash) {
  const Launch launch = shell("echo out; kill -SEGV $$");
  EXPECT_EQ(run(launch).exit_status, 128 + SIGSEGV);
}

TEST_F(ExecutorTest, ReportsAProgramThatCantBeStarted) {
  const Launch launch{.argv = {"/no/such/program"}};
  const auto outcome = run(launch);
  EXPECT_THAT(verdict(launch, outcome), HasSubstr("could not be started: No such file"));
  EXPECT_FALSE(outcome.exit_ns);
}

TEST_F(ExecutorTest, KillsWhatHangsWithAllThatItStarted) {
  // Also what left its process group and session.
  Launch launch = shell("sleep 101 & setsid sleep 102 & (setsid sleep 103 &) ; echo up; wait");
  launch.timeout = 300ms;
  const auto outcome = run(launch);
  EXPECT_EQ(outcome.error, "hung until the time limit");
  EXPECT_FALSE(outcome.interrupted);
  EXPECT_TRUE(outcome.first_byte_ns);
  EXPECT_EQ(descendants(::getpid()), std::vector<pid_t>());
}

TEST_F(ExecutorTest, WaitsForWhatOutlivesTheProgram) {
  const auto outcome = run(shell("(setsid sleep 0.2 &); echo started"));
  EXPECT_EQ(outcome.error, "");
  EXPECT_EQ(outcome.processes_left, 1);
  ASSERT_TRUE(outcome.exit_ns && outcome.gone_ns);
  EXPECT_GE(*outcome.gone_ns, *outcome.exit_ns + 100 * kMs);
}

TEST_F(ExecutorTest, KillsWhatOutlivesTheProgramTooLong) {
  Launch launch = shell("(setsid sleep 104 &); echo started");
  launch.timeout = 300ms;
  const auto outcome = run(launch);
  EXPECT_THAT(outcome.error, HasSubstr("left behind"));
  EXPECT_EQ(descendants(::getpid()), std::vector<pid_t>());
}

TEST_F(ExecutorTest, WatchesAFifoInPlaceOfStandardOutput) {
  const testing::TempDir dir;
  Launch launch = shell("echo not this; sleep 0.1; echo that >\"$0\"");
  launch.output_fifo = dir / "fifo";
  ASSERT_EQ(::mkfifo(launch.output_fifo.c_str(), 0600), 0);
  launch.argv.push_back(launch.output_fifo);
  const auto outcome = run(launch);
  EXPECT_EQ(outcome.out, "that\n");
  EXPECT_GE(outcome.first_byte_ns.value_or(0), 100 * kMs);
}

TEST_F(ExecutorTest, LargeOutputDoesNotBlockTheProgram) {
  const auto outcome = run(shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"));
  EXPECT_EQ(outcome.exit_status, 0);
  EXPECT_EQ(outcome.error, "");
}

TEST_F(ExecutorTest, GivesTheProgramNothingButItsStreams) {
  EXPECT_EQ(run(shell("ls /proc/self/fd | tr '\\n' ' '")).out, "0 1 2 3 ");  // 3: ls's own
  EXPECT_EQ(run(shell("env | grep -v -e PATH -e PWD; echo end")).out, "end\n");
}

TEST_F(ExecutorTest, AnInterruptEndsTheTrial) {
  STRATA_ASSERT_OK(const Interrupt interrupt, Interrupt::watch());
  ProcessExecutor executor(testing::own_program("strata-bench-launch"), &interrupt);
  std::jthread killer([] {
    std::this_thread::sleep_for(200ms);
    ::kill(::getpid(), SIGINT);
  });
  STRATA_ASSERT_OK(const Outcome outcome, executor.run(shell("echo up; sleep 105")));
  EXPECT_TRUE(outcome.interrupted);
  EXPECT_EQ(outcome.error, "interrupted");
  EXPECT_TRUE(interrupt.raised());
  EXPECT_EQ(descendants(::getpid()), std::vector<pid_t>());
}

// The launcher has started nothing yet when the interrupt is seen; what it starts then must not
// run.
TEST_F(ExecutorTest, AnInterruptBeforeTheStartEndsTheTrial) {
  STRATA_ASSERT_OK(const Interrupt interrupt, Interrupt::watch());
  ProcessExecutor executor(testing::own_program("strata-bench-launch"), &interrupt);
  ::kill(::getpid(), SIGINT);
  for (int i = 0; i < 20; ++i) {
    STRATA_ASSERT_OK(const Outcome outcome, executor.run(shell("sleep 106")));
    EXPECT_EQ(outcome.error, "interrupted");
    EXPECT_LT(outcome.exit_ns.value_or(0), 10'000 * kMs);
    EXPECT_EQ(descendants(::getpid()), std::vector<pid_t>());
  }
}

TEST_F(ExecutorTest, EntersAMountViewBeforeTheStart) {
  STRATA_NEEDS_ROOT();
  const testing::TempDir dir;
  dir.write("lower/hello", "from the layer\n");
  STRATA_ASSERT_OK(const MountView view,
                   MountView::create([&] { return mount_rootfs({dir / "lower"}, dir / "view"); }));
  Launch launch = shell("cat \"$0\"");
  launch.argv.push_back(dir / "view/rootfs/hello");
  launch.mount_namespace = view.file();
  EXPECT_EQ(run(launch).out, "from the layer\n");
  EXPECT_FALSE(std::filesystem::exists(dir / "view/rootfs/hello")) << "mounts stay in the view";
}

TEST(MountView, PassesErrorsOn) {
  STRATA_NEEDS_ROOT();
  EXPECT_THAT(MountView::create([]() -> Result<void> { return fail(ENODEV, "no such luck"); }),
              testing::FailsWith(ENODEV, "no such luck"));
}

TEST(MountView, CoversDirectoriesButKeepsWhatIsNamed) {
  STRATA_NEEDS_ROOT();
  const testing::TempDir dir;
  dir.write("covered/secret", "x");
  dir.write("covered/kept/file", "y");
  STRATA_ASSERT_OK(const MountView view, MountView::create([&]() -> Result<void> {
                     STRATA_CHECK(cover({dir / "covered", dir / "missing"}, dir / "covered/kept"));
                     if (std::filesystem::exists(dir / "covered/secret"))
                       return fail(EEXIST, "not covered");
                     STRATA_TRY(const auto text, read_file(dir / "covered/kept/file"));
                     return text == "y" ? Result<void>() : fail(EINVAL, "read '" + text + "'");
                   }));
  EXPECT_TRUE(std::filesystem::exists(dir / "covered/secret"));
}

}  // namespace
}  // namespace strata::bench
