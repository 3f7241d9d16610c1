// What goes wrong, how it is said, and that nothing stays behind (the fixture counts mounts,
// descriptors, children and cgroups after each test).

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "runtime/linux/capabilities.h"
#include "runtime/linux/launch.h"
#include "tests/linux/container_fixture.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Field;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::StartsWith;

auto Says(int code, const std::string& text) {
  return AllOf(Field(&Error::code, code), Field(&Error::what, HasSubstr(text)));
}

void make_executable(const fs::path& path) {
  fs::permissions(path, fs::perms::owner_exec | fs::perms::others_exec, fs::perm_options::add);
}

class LaunchFailureTest : public ContainerTest {};

TEST_F(LaunchFailureTest, TellsAProgramThatIsMissing) {
  EXPECT_THAT(failure_of(spec_for({"nothing"})), Says(ENOENT, "execute nothing: No such file"));
  EXPECT_THAT(failure_of(spec_for({"/bin/nothing"})), Says(ENOENT, "execute /bin/nothing"));
  auto spec = spec_for({"true"});
  spec.process.env = {"PATH=/sbin:/tmp"};
  EXPECT_THAT(failure_of(spec), Says(ENOENT, "execute true"));
}

TEST_F(LaunchFailureTest, TellsAProgramThatMayNotBeRun) {
  temp_.write("root/bin/plain", "#!/bin/sh\n");
  EXPECT_THAT(failure_of(spec_for({"plain"})), Says(EACCES, "execute plain"));
  EXPECT_THAT(failure_of(spec_for({"/bin"})), Says(EACCES, "execute /bin"));
  temp_.write("root/bin/data", "no program\n");
  make_executable(root_ / "bin/data");
  EXPECT_THAT(failure_of(spec_for({"data"})), Says(ENOEXEC, "execute data"));
}

TEST_F(LaunchFailureTest, TellsAnInterpreterThatIsMissing) {
  temp_.write("root/bin/script", "#!/usr/bin/perl\n");
  make_executable(root_ / "bin/script");
  EXPECT_THAT(failure_of(spec_for({"script"})),
              Says(ENOENT, "script: it is there, but its interp"));
  // A dynamically linked program without its linker.
  fs::copy_file("/proc/self/exe", root_ / "bin/dynamic");
  EXPECT_THAT(failure_of(spec_for({"dynamic"})), Says(ENOENT, "dynamic linker"));
}

TEST_F(LaunchFailureTest, PrefersALaterProgramToOneThatMayNotBeRun) {
  temp_.write("root/sbin/true", "");
  EXPECT_EQ(run(spec_for({"true"})).status, 0);
}

TEST_F(LaunchFailureTest, RefusesWhatMakesNoSense) {
  EXPECT_THAT(failure_of(spec_for({})), Says(EINVAL, "process.args"));
  auto spec = spec_for({"true"});
  spec.process.cwd = "relative";
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "process.cwd"));
  spec = spec_for({"true"});
  spec.process.args.emplace_back("a\0b", 3);
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "process.args: a NUL"));
  spec = spec_for({"true"});
  spec.process.capabilities.bounding.emplace_back("CAP_EVERYTHING");
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "CAP_EVERYTHING"));
  spec = spec_for({"true"});
  spec.process.rlimits = {{"RLIMIT_NOFILE", 2, 1}};
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "RLIMIT_NOFILE"));
  spec.process.rlimits = {{"RLIMIT_MAGIC", 1, 1}};
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "RLIMIT_MAGIC"));
}

TEST_F(LaunchFailureTest, RefusesWhatWouldChangeTheHost) {
  const auto without = [&](const char* type) {
    auto spec = spec_for({"true"});
    std::erase_if(spec.linux.namespaces, [&](const auto& ns) { return ns.type == type; });
    return spec;
  };
  auto spec = without("uts");
  spec.hostname = "taken-over";
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "hostname"));
  spec = without("network");
  spec.linux.sysctl = {{"net.ipv4.ip_forward", "1"}};
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "for the host"));
  spec = spec_for({"true"});
  spec.linux.sysctl = {{"vm.swappiness", "1"}};
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "vm.swappiness"));
  spec.linux.sysctl = {{"net.../../vm/swappiness", "1"}};
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "not a setting"));
  EXPECT_THAT(failure_of(without("mount")), Says(EINVAL, "mount namespace"));
}

TEST_F(LaunchFailureTest, RefusesNamespacesItCannotMake) {
  auto spec = spec_for({"true"});
  spec.linux.namespaces.push_back({"user", ""});
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "linux.uidMappings"));
  spec.linux.namespaces.back().type = "moon";
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "'moon'"));
  spec.linux.namespaces.back().type = "pid";
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "twice"));
  spec = spec_for({"true"});
  spec.linux.namespaces.front().path = "/nowhere";
  EXPECT_THAT(failure_of(spec), Says(ENOENT, "/nowhere"));
  spec.linux.namespaces.front().path = "/proc/self/ns/net";  // the first one is the pid namespace
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "join the namespace"));
}

TEST_F(LaunchFailureTest, SaysWhatItCannotGrant) {
  rlimit own{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &own), 0);
  auto spec = spec_for({"true"});
  spec.process.rlimits = {{"RLIMIT_NOFILE", 1, own.rlim_max + 1}};
  const auto capabilities = own_capabilities();
  ASSERT_THAT(capabilities, IsOk());
  if ((capabilities->effective & *capability_of("CAP_SYS_RESOURCE")) != 0)
    GTEST_SKIP() << "this machine's root may raise limits";
  EXPECT_THAT(failure_of(spec),
              Says(EPERM, "our own hard limit is " + std::to_string(own.rlim_max)));
  spec = spec_for({"true"});
  spec.process.capabilities.permitted.emplace_back("CAP_SYS_RESOURCE");
  EXPECT_THAT(failure_of(spec), Says(EPERM, "CAP_SYS_RESOURCE"));
}

// One failure in each step that can be made to fail, with its name.
TEST_F(LaunchFailureTest, NamesTheStep) {
  auto spec = spec_for({"true"});
  spec.mounts.push_back({"/x", "bind", "/nowhere", {}});
  EXPECT_THAT(failure_of(spec), Says(ENOENT, "mount /nowhere on /x"));
  spec.mounts.back() = {"/x", "tmpfs", "tmpfs", {"colour=blue"}};
  EXPECT_THAT(
      failure_of(spec),
      Says(EINVAL, "set up container: mount tmpfs on /x: tmpfs: Unknown parameter 'colour'"));
  spec.mounts.back() = {"/x", "nofs", "nofs", {}};
  EXPECT_THAT(failure_of(spec), Says(ENODEV, "mount nofs on /x"));
  spec.mounts.back() = {"/bin/sh/x", "tmpfs", "tmpfs", {}};
  EXPECT_THAT(failure_of(spec), Says(ENOTDIR, "mount tmpfs on /bin/sh/x"));
  spec.mounts.back() = {"/bin/busybox", "bind", temp_.path(), {}};
  EXPECT_THAT(failure_of(spec), Says(ENOTDIR, "on /bin/busybox"));
  spec.mounts.back() = {"/tmp", "bind", root_ / "bin/busybox", {}};
  EXPECT_THAT(failure_of(spec), Says(EISDIR, "on /tmp"));
  spec.mounts.pop_back();

  spec.linux.sysctl = {{"net.ipv4.nothing", "1"}};
  EXPECT_THAT(failure_of(spec), Says(ENOENT, "'1' to /proc/sys/net/ipv4/nothing"));
  spec.linux.sysctl = {{"net.ipv4.ip_forward", "many"}};
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "'many'"));
  spec.linux.sysctl.clear();

  spec.hostname = std::string(65, 'h');
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "set the hostname to 'hhh"));
  spec.hostname.clear();

  spec.process.oom_score_adj = 5000;
  EXPECT_THAT(failure_of(spec), Says(EINVAL, "OOM score to 5000"));
  spec.process.oom_score_adj.reset();

  spec.process.cwd = "/bin/busybox/x";
  EXPECT_THAT(failure_of(spec), Says(ENOTDIR, "working directory /bin/busybox/x"));
  spec.process.cwd = "/";

  auto& caps = spec.process.capabilities;
  caps.effective.emplace_back("CAP_SYSLOG");  // not permitted
  EXPECT_THAT(failure_of(spec), Says(EPERM, "set capabilities"));
  caps.effective.pop_back();

  spec.process.terminal = true;
  std::erase_if(spec.mounts, [](const auto& m) { return m.destination == "/dev/pts"; });
  EXPECT_THAT(failure_of(spec), Says(ENOENT, "set up the terminal"));
}

TEST_F(LaunchFailureTest, TellsABadFilter) {
  const auto spec = spec_for({"true"});
  const UniqueFd root = clone_root();
  const std::array<sock_filter, 1> bad = {sock_filter{0xffff, 0, 0, 0}};
  const auto launched =
      launch({.spec = &spec, .root_mount = root.get(), .cgroup = &*cgroup_, .seccomp = bad});
  ASSERT_FALSE(launched);
  EXPECT_THAT(launched.error(), Says(EINVAL, "install the seccomp filter"));
}

TEST_F(LaunchFailureTest, TellsARootThatIsNone) {
  const auto spec = spec_for({"true"});
  const UniqueFd file(::open("/etc/passwd", O_RDONLY | O_CLOEXEC));
  const auto launched = launch({.spec = &spec, .root_mount = file.get(), .cgroup = &*cgroup_});
  ASSERT_FALSE(launched);
  EXPECT_THAT(launched.error().what, StartsWith("set up container: attach root"));
}

TEST_F(LaunchFailureTest, TellsAMemoryLimitThatIsTooSmall) {
  ASSERT_THAT(cgroup_->remove(), IsOk());
  oci::Resources resources;
  resources.memory_limit = 128 << 10;
  const std::string path = "/strata-test/small-" + std::to_string(::getpid());
  auto small = Cgroup::create(path, resources);
  ASSERT_THAT(small, IsOk());
  const auto spec = spec_for({"true"});
  const UniqueFd root = clone_root();
  auto launched = launch({.spec = &spec, .root_mount = root.get(), .cgroup = &*small});
  // Where the kernel draws the line is its own affair: in the set-up, at execve or after it.
  if (launched) {
    const auto started = launched->start();
    if (started)
      EXPECT_EQ(reap(launched->pid()), 128 + SIGKILL);
    else
      EXPECT_THAT(started.error(), Says(ENOMEM, "memory"));
  } else {
    EXPECT_THAT(launched.error(), Says(ENOMEM, "memory limit is too small"));
  }
  launched = fail(0, "");
  EXPECT_THAT(small->remove(), IsOk());
}

TEST_F(LaunchFailureTest, EndsAWaitingChildThatNobodyWants) {
  pid_t pid = -1;
  {
    const auto spec = spec_for({"true"});
    const UniqueFd root = clone_root();
    const auto launched = launch({.spec = &spec, .root_mount = root.get(), .cgroup = &*cgroup_});
    ASSERT_THAT(launched, IsOk());
    pid = launched->pid();
    EXPECT_EQ(::kill(pid, 0), 0);
  }
  EXPECT_LT(::kill(pid, 0), 0);
}

TEST_F(LaunchFailureTest, EndsWithACallerThatDies) {
  OutputPipe pipe = make_output_pipe();
  const pid_t caller = ::fork();
  if (caller == 0) {
    const auto spec = spec_for({"true"});
    const UniqueFd root = clone_root();
    auto launched = launch({.spec = &spec,
                            .root_mount = root.get(),
                            .cgroup = &*cgroup_,
                            .stdio = {.out = pipe.write.get()}});
    ::_exit(launched ? 0 : 1);  // without any destructor
  }
  EXPECT_EQ(reap(caller), 0);
  pipe.write.reset();
  EXPECT_EQ(read_to_end(pipe.read.get()), "");  // all that held it are gone, or on their way
  for (int i = 0; i < 1000 && !cgroup_->processes().empty(); ++i) ::usleep(1000);
}

TEST_F(LaunchFailureTest, LeavesNoProcessWhereverItsCallerIsKilled) {
  for (useconds_t moment = 0; moment < 4000; moment += 100) {
    const pid_t caller = ::fork();
    if (caller == 0) {
      const auto spec = spec_for({"sleep", "1000"});
      const UniqueFd root = clone_root();
      const auto launched = launch({.spec = &spec, .root_mount = root.get(), .cgroup = &*cgroup_});
      while (launched) ::pause();
      ::_exit(1);
    }
    ::usleep(moment);
    ::kill(caller, SIGKILL);
    EXPECT_EQ(reap(caller), 128 + SIGKILL);
    for (int i = 0; i < 2000 && !cgroup_->processes().empty(); ++i) ::usleep(1000);
    ASSERT_TRUE(cgroup_->processes().empty()) << "killed after " << moment << " us";
  }
}

TEST_F(LaunchFailureTest, SurvivesStandardStreamsThatAreClosed) {
  const pid_t caller = ::fork();
  if (caller == 0) {
    for (const int fd : {0, 1, 2}) ::close(fd);
    const auto spec = shell("cd /proc/self/fd && test -e 0 -a -e 1 -a -e 2 -a ! -e 3");
    const UniqueFd root = clone_root();
    auto launched = launch({.spec = &spec, .root_mount = root.get(), .cgroup = &*cgroup_});
    if (!launched || !launched->start()) ::_exit(99);
    ::_exit(reap(launched->pid()));
  }
  EXPECT_EQ(reap(caller), 0);
}

}  // namespace
}  // namespace strata::linux
