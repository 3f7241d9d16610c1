// What `process` and the names of the spec do, seen from inside.

#include <sched.h>

#include <gmock/gmock.h>

#include "tests/linux/container_fixture.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

using ::testing::HasSubstr;

class SpecProcessTest : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    with_seccomp_ = false;
    for (const char* applet : {"ionice", "uname", "nproc"})
      std::filesystem::create_symlink("busybox", root_ / "bin" / applet);
  }

  void expect_failure(const oci::Spec& spec, int code, const char* text) {
    const Error error = failure_of(spec);
    EXPECT_EQ(error.code, code) << error.what;
    EXPECT_THAT(error.what, HasSubstr(text));
  }
};

TEST_F(SpecProcessTest, DomainNameIsSet) {
  auto spec = shell("cat /proc/sys/kernel/domainname");
  spec.domainname = "example.org";
  EXPECT_EQ(run(spec).out, "example.org\n");
  std::erase_if(spec.linux.namespaces, [](const auto& ns) { return ns.type == "uts"; });
  expect_failure(spec, EINVAL, "domainname: it would be set for the host");
}

TEST_F(SpecProcessTest, ConsoleHasItsSize) {
  auto spec = shell("stty size");
  spec.process.terminal = true;
  spec.process.console_size = {.height = 31, .width = 97};
  EXPECT_EQ(run(spec).out, "31 97\r\n");
  spec.process.console_size->width = 70'000;
  expect_failure(spec, EINVAL, "process.consoleSize");
}

TEST_F(SpecProcessTest, IoPriorityIsSet) {
  auto spec = shell("ionice -p $$");
  spec.process.io_priority = {.io_class = "IOPRIO_CLASS_BE", .priority = 6};
  EXPECT_EQ(run(spec).out, "best-effort: prio 6\n");
  spec.process.io_priority = {.io_class = "IOPRIO_CLASS_IDLE", .priority = 0};
  EXPECT_THAT(run(spec).out, HasSubstr("idle"));
  spec.process.io_priority->io_class = "IOPRIO_CLASS_MOON";
  expect_failure(spec, EINVAL, "process.ioPriority.class: unknown value 'IOPRIO_CLASS_MOON'");
  spec.process.io_priority = {.io_class = "IOPRIO_CLASS_BE", .priority = 8};
  expect_failure(spec, EINVAL, "process.ioPriority.priority");
}

TEST_F(SpecProcessTest, SchedulerIsSet) {
  auto spec = shell("cut -d' ' -f19,41 /proc/$$/stat");
  spec.process.scheduler = {.policy = "SCHED_BATCH", .nice = 7};
  EXPECT_EQ(run(spec).out, "7 " + std::to_string(SCHED_BATCH) + "\n");
  spec.process.scheduler = {.policy = "SCHED_IDLE"};
  EXPECT_EQ(run(spec).out, "0 " + std::to_string(SCHED_IDLE) + "\n");
  spec.process.scheduler = {.policy = "SCHED_OTHER", .flags = {"SCHED_FLAG_MOON"}};
  expect_failure(spec, EINVAL, "process.scheduler.flags: unknown value 'SCHED_FLAG_MOON'");
  spec.process.scheduler = {.policy = "SCHED_FIFO", .priority = 1000};
  expect_failure(spec, EINVAL, "process.scheduler");
}

TEST_F(SpecProcessTest, PersonalityIsSet) {
  auto spec = shell("uname -m; cat /proc/$$/personality");
  EXPECT_EQ(run(spec).out, "x86_64\n00000000\n");
  spec.linux.personality = {.domain = "LINUX32"};
  EXPECT_EQ(run(spec).out, "i686\n00000008\n");
  spec.linux.personality = {.domain = "BSD"};
  expect_failure(spec, EINVAL, "linux.personality.domain: unknown value 'BSD'");
  spec.linux.personality = {.domain = "LINUX", .flags = {"SHORT_INODE"}};
  expect_failure(spec, EINVAL, "linux.personality.flags");
}

TEST_F(SpecProcessTest, AllFiveCapabilitySetsAreSet) {
  auto spec = shell("grep ^Cap /proc/self/status");
  spec.process.capabilities = {.bounding = {"CAP_CHOWN", "CAP_KILL", "CAP_SETUID"},
                               .effective = {"CAP_CHOWN"},
                               .inheritable = {"CAP_KILL"},
                               .permitted = {"CAP_CHOWN", "CAP_KILL"},
                               .ambient = {"CAP_KILL"}};
  spec.process.user.uid = 1000;
  EXPECT_EQ(run(spec).out,
            "CapInh:\t0000000000000020\nCapPrm:\t0000000000000020\nCapEff:\t0000000000000020\n"
            "CapBnd:\t00000000000000a1\nCapAmb:\t0000000000000020\n");
}

// As `runc spec` writes them.
TEST_F(SpecProcessTest, AmbientCapabilitiesThatAreNotInheritableAreLeftOut) {
  auto spec = shell("grep CapAmb /proc/self/status");
  spec.process.capabilities.ambient = spec.process.capabilities.permitted;
  EXPECT_EQ(run(spec).out, "CapAmb:\t0000000000000000\n");
}

TEST_F(SpecProcessTest, LimitsAreGivenOnce) {
  auto spec = spec_for({"true"});
  spec.process.rlimits = {{"RLIMIT_CORE", 0, 0}, {"RLIMIT_CORE", 1, 1}};
  expect_failure(spec, EINVAL, "process.rlimits: RLIMIT_CORE is given twice");
}

TEST_F(SpecProcessTest, LabelsAreRefusedWithoutTheirSecurityModule) {
  if (std::filesystem::exists("/sys/module/apparmor") || std::filesystem::exists("/sys/fs/selinux"))
    GTEST_SKIP() << "a security module is here";
  auto spec = spec_for({"true"});
  spec.process.apparmor_profile = "docker-default";
  expect_failure(spec, ENOTSUP, "process.apparmorProfile");
  spec.process.apparmor_profile = "unconfined";
  EXPECT_EQ(run(spec).status, 0);
  spec.process.selinux_label = "system_u:system_r:container_t:s0";
  expect_failure(spec, ENOTSUP, "process.selinuxLabel");
  spec.process.selinux_label.clear();
  spec.linux.mount_label = "system_u:object_r:container_file_t:s0";
  expect_failure(spec, ENOTSUP, "linux.mountLabel");
}

TEST_F(SpecProcessTest, ExecutedProgramsHaveTheirCpusAndScheduling) {
  OutputPipe pipe = make_output_pipe();
  auto first = launch_with(shell("sleep 100"));
  ASSERT_THAT(first, testing::IsOk());
  oci::Process process =
      shell("grep Cpus_allowed_list /proc/self/status; cut -d' ' -f41 /proc/$$/stat; ulimit -n")
          .process;
  process.exec_cpu_affinity = {.initial = "0-1", .final = "1"};
  process.scheduler = {.policy = "SCHED_BATCH"};
  process.rlimits = {{"RLIMIT_NOFILE", 77, 77}};
  auto second = launch_exec({.pid = first->pid(),
                             .process = &process,
                             .cgroup = &*cgroup_,
                             .stdio = {.out = pipe.write.get(), .err = pipe.write.get()}});
  ASSERT_THAT(second, testing::IsOk());
  ASSERT_THAT(second->start(), testing::IsOk());
  pipe.write.reset();
  const auto ended = finish(std::move(*second), std::move(pipe.read));
  EXPECT_THAT(ended.out, HasSubstr("Cpus_allowed_list:\t1\n3\n77\n"));
  process.exec_cpu_affinity = {.initial = "", .final = "1-x"};
  EXPECT_THAT(launch_exec({.pid = first->pid(), .process = &process, .cgroup = &*cgroup_}),
              testing::FailsWith(EINVAL, "process.execCPUAffinity.final"));
  ASSERT_THAT(cgroup_->kill_all(), testing::IsOk());
  reap(first->pid());
}

}  // namespace
}  // namespace strata::linux
