#include "runtime/linux/own_program.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {
namespace {

// What the test below runs: this program, as someone in a container would find it.
TEST(OwnProgram, DISABLED_Inside) {
  std::string self = "/proc/self/exe";
  std::string filter = "--gtest_filter=OwnProgram.DISABLED_Inside";
  std::string also = "--gtest_also_run_disabled_tests";
  std::array<char*, 4> argv = {self.data(), filter.data(), also.data(), nullptr};
  if (const auto done = run_from_read_only_mount(argv.data()); !done) ::_exit(1);
  ::raise(SIGSTOP);
  ::_exit(0);
}

TEST(OwnProgram, CannotBeOpenedForWritingAfterwards) {
  STRATA_NEEDS_ROOT();
  const testing::TempDir temp;
  const std::string copy = temp / "program";
  std::filesystem::copy_file("/proc/self/exe", copy);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl(copy.c_str(), copy.c_str(), "--gtest_filter=OwnProgram.DISABLED_Inside",
            "--gtest_also_run_disabled_tests", nullptr);
    ::_exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status)) << status;
  const std::string exe = "/proc/" + std::to_string(child) + "/exe";
  const UniqueFd held(::open(exe.c_str(), O_PATH | O_CLOEXEC));
  ASSERT_TRUE(held.valid());
  ::kill(child, SIGCONT);
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  // Nobody runs it any more, and still:
  const std::string again = "/proc/self/fd/" + std::to_string(held.get());
  EXPECT_LT(::open(again.c_str(), O_WRONLY | O_CLOEXEC), 0);
  EXPECT_EQ(errno, EROFS);
}

// In a process of its own, in a mount namespace of its own, after the stand-in was taken. Returns
// what the process exits with.
int after_stand_in(int (*look)()) {
  const pid_t child = ::fork();
  if (child == 0) {
    const StandIn stand_in = make_stand_in();
    if (!stand_in.file || ::unshare(CLONE_NEWNS) < 0 || take_stand_in(stand_in) < 0)
      ::_exit(100 + errno);
    ::_exit(look());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int variable = 7;
const std::string& text_of_library() {
  static const std::string text = "made in the child";
  return text;
}

TEST(OwnProgram, RunsOnAfterItTookAStandIn) {
  STRATA_NEEDS_ROOT();
  if (!make_stand_in().file) GTEST_SKIP() << "not on this kernel";
  EXPECT_EQ(after_stand_in([] {
              const int before = variable++;
              const auto throws = [] { throw std::string("thrown"); };
              try {
                throws();
              } catch (const std::string& what) {
                return before == 7 && variable == 8 && what == "thrown" &&
                               text_of_library().starts_with("made")
                           ? 0
                           : 1;
              }
              return 2;
            }),
            0);
  EXPECT_EQ(variable, 7);
}

TEST(OwnProgram, IsNoMoreToBeFoundByItsProcess) {
  STRATA_NEEDS_ROOT();
  if (!make_stand_in().file) GTEST_SKIP() << "not on this kernel";
  EXPECT_EQ(after_stand_in([] {
              std::array<char, 200> target{};
              if (::readlink("/proc/self/exe", target.data(), target.size() - 1) < 0) return 1;
              if (std::string_view(target.data()).find("memfd:") == std::string_view::npos)
                return 2;
              if (::open("/proc/self/exe", O_WRONLY | O_CLOEXEC) >= 0) return 3;
              char* const argv[] = {target.data(), nullptr};
              ::execv("/proc/self/exe", argv);
              return errno == ENOEXEC ? 0 : 4;
            }),
            0);
}

}  // namespace
}  // namespace strata::linux
