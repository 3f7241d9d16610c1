// Further programs in a running container.

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>

#include "runtime/linux/launch.h"
#include "runtime/linux/seccomp.h"
#include "tests/linux/container_fixture.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using ::testing::StartsWith;

class ExecTest : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (!cgroup_) return;
    auto spec = shell("sleep 1000");
    spec.hostname = "box";
    spec.linux.resources.pids_limit = 50;
    auto launched = launch_with(spec);
    ASSERT_THAT(launched, IsOk());
    first_.emplace(*std::move(launched));
  }
  void TearDown() override {
    if (first_) {
      EXPECT_THAT(cgroup_->kill_all(), IsOk());
      EXPECT_EQ(reap(first_->pid()), 128 + SIGKILL);
      first_.reset();
    }
    ContainerTest::TearDown();
  }

  Result<Launched> start(const oci::Process& process, Stdio stdio = {}) {
    STRATA_TRY(Launched launched, launch_exec({.pid = first_->pid(),
                                               .process = &process,
                                               .cgroup = &*cgroup_,
                                               .stdio = stdio,
                                               .seccomp = default_seccomp_filter()}));
    STRATA_CHECK(launched.start());
    return launched;
  }

  Ended exec(const oci::Process& process) {
    OutputPipe pipe = make_output_pipe();
    auto launched = start(process, {.out = pipe.write.get(), .err = pipe.write.get()});
    if (!launched) {
      ADD_FAILURE() << launched.error().what;
      return {};
    }
    pipe.write.reset();
    if (process.terminal) return finish(std::move(*launched), std::move(launched->console()));
    return finish(std::move(*launched), std::move(pipe.read));
  }

  std::optional<Launched> first_;
};

TEST_F(ExecTest, RunsInAllOfTheContainersNamespaces) {
  const auto ended = exec(shell("for n in pid net mnt ipc uts cgroup; do readlink "
                                "/proc/self/ns/$n; done; hostname; ls /; echo $$")
                              .process);
  for (const char* ns : {"pid", "net", "mnt", "ipc", "uts", "cgroup"}) {
    const auto link =
        fs::read_symlink("/proc/" + std::to_string(first_->pid()) + "/ns/" + ns).string();
    EXPECT_THAT(ended.out, HasSubstr(link));
  }
  EXPECT_THAT(ended.out, AllOf(HasSubstr("box\n"), HasSubstr("bin\n"), Not(HasSubstr("\nvar\n")),
                               Not(HasSubstr("\n1\n"))));
  // The caller's own children are where they were.
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::getpid() == 1 ? 1 : 0);
  EXPECT_EQ(reap(child), 0);
}

TEST_F(ExecTest, IsInTheContainersCgroup) {
  auto launched = start(shell("sleep 100").process);
  ASSERT_THAT(launched, IsOk());
  EXPECT_THAT(cgroup_->processes(), Contains(launched->pid()));
  EXPECT_EQ(cgroup_->stats().pids, 2U);
  ::kill(launched->pid(), SIGKILL);
  EXPECT_EQ(reap(launched->pid()), 128 + SIGKILL);
}

TEST_F(ExecTest, HasItsOwnUserEnvironmentAndDirectory) {
  auto process = shell(
                     "id; env; pwd; grep -E 'CapEff|Seccomp:' /proc/self/status; ls "
                     "/proc/self/fd | wc -l")
                     .process;
  process.user = {.uid = 7, .gid = 8};
  process.env.emplace_back("X=y");
  process.cwd = "/tmp";
  const auto ended = exec(process);
  EXPECT_THAT(ended.out, AllOf(StartsWith("uid=7 gid=8"), HasSubstr("X=y\n"), HasSubstr("/tmp\n"),
                               HasSubstr("CapEff:\t0000000000000000"), HasSubstr("Seccomp:\t2"),
                               HasSubstr("\n4\n")));  // three streams and ls's own
}

TEST_F(ExecTest, ReturnsTheStatus) {
  EXPECT_EQ(exec(shell("exit 9").process).status, 9);
}

TEST_F(ExecTest, GivesATerminal) {
  auto process = shell("tty; test -t 1 && echo yes").process;
  process.terminal = true;
  const auto ended = exec(process);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("/dev/pts/0\r\n"), HasSubstr("yes\r\n")));
}

TEST_F(ExecTest, TellsWhatIsMissing) {
  auto failed = start(spec_for({"nothing"}).process);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ENOENT);
  EXPECT_THAT(failed.error().what, StartsWith("execute nothing"));
}

TEST_F(ExecTest, TakesAPidfd) {
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, first_->pid(), 0)));
  const auto process = spec_for({"true"}).process;
  auto launched = launch_exec({.pidfd = pidfd.get(), .process = &process, .cgroup = &*cgroup_});
  ASSERT_THAT(launched, IsOk());
  ASSERT_THAT(launched->start(), IsOk());
  EXPECT_EQ(reap(launched->pid()), 0);
}

TEST_F(ExecTest, TellsAContainerThatIsGone) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(0);
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  reap(child);
  const auto process = spec_for({"true"}).process;
  EXPECT_THAT(launch_exec({.pidfd = pidfd.get(), .process = &process}), testing::FailsWith(ESRCH));
  EXPECT_THAT(launch_exec({.pid = child, .process = &process}), testing::FailsWith(ESRCH));
}

// What a container's process can do to one that is about to enter: nothing, until execve.
TEST_F(ExecTest, CannotBeLookedIntoBeforeItRuns) {
  const auto process = spec_for({"true"}).process;
  auto launched = launch_exec({.pid = first_->pid(), .process = &process, .cgroup = &*cgroup_});
  ASSERT_THAT(launched, IsOk());
  const auto seen = exec(shell("for p in /proc/[0-9]*; do readlink $p/exe; done").process);
  EXPECT_THAT(seen.out, Not(HasSubstr("linux_exec_test")));
  ASSERT_THAT(launched->start(), IsOk());
  EXPECT_EQ(reap(launched->pid()), 0);
}

// A terminal is opened in the container's own devpts or not at all.
TEST_F(ExecTest, TakesNoTerminalFromElsewhere) {
  auto spec = shell("sleep 1000");
  std::erase_if(spec.mounts, [](const auto& m) { return m.destination == "/dev/pts"; });
  spec.mounts.push_back({"/dev/pts", "tmpfs", "tmpfs", {}});
  auto other = launch_with(spec);
  ASSERT_THAT(other, IsOk());
  auto process = shell("ln -s /dev/null /dev/pts/ptmx").process;
  auto planted = launch_exec({.pid = other->pid(), .process = &process, .cgroup = &*cgroup_});
  ASSERT_THAT(planted, IsOk());
  ASSERT_THAT(planted->start(), IsOk());
  EXPECT_EQ(reap(planted->pid()), 0);
  process = spec_for({"true"}).process;
  process.terminal = true;
  EXPECT_THAT(launch_exec({.pid = other->pid(), .process = &process, .cgroup = &*cgroup_}),
              testing::FailsWith(ELOOP, "terminal"));
  ::kill(other->pid(), SIGKILL);
  EXPECT_EQ(reap(other->pid()), 128 + SIGKILL);
}

}  // namespace
}  // namespace strata::linux
