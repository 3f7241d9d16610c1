// User and time namespaces, new and joined, seen from inside.

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include <gmock/gmock.h>

#include "tests/linux/container_fixture.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

constexpr uint32_t kFirst = 200'000;

class SpecNamespacesTest : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    with_seccomp_ = false;
    give_root_to(kFirst);
  }

  [[nodiscard]] oci::Spec in_user_namespace(const std::string& script) const {
    oci::Spec spec = shell(script);
    spec.linux.namespaces.push_back({"user", ""});
    spec.linux.uid_mappings = {{0, kFirst, 65536}};
    spec.linux.gid_mappings = {{0, kFirst, 65536}};
    return spec;
  }

  static std::string ns_of(pid_t pid, const char* name) {
    return "/proc/" + std::to_string(pid) + "/ns/" + name;
  }

  Ended exec_in(pid_t pid, const oci::Process& process) {
    OutputPipe pipe = make_output_pipe();
    auto launched = launch_exec({.pid = pid,
                                 .process = &process,
                                 .cgroup = &*cgroup_,
                                 .stdio = {.out = pipe.write.get(), .err = pipe.write.get()}});
    if (!launched || !launched->start()) {
      ADD_FAILURE() << (launched ? "exec" : launched.error().what);
      return {};
    }
    pipe.write.reset();
    return finish(std::move(*launched), std::move(pipe.read));
  }

  void end(Launched& launched) {
    EXPECT_THAT(cgroup_->kill_all(), IsOk());
    reap(launched.pid());
  }
};

TEST_F(SpecNamespacesTest, UserNamespaceMapsIds) {
  auto spec = in_user_namespace(
      "cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /made /tmp/made; "
      "stat -c '%u %n' /made /dev /dev/null /dev/ptmx /dev/shm /sys/fs/cgroup; "
      "echo x > /dev/null && echo wrote; cat /proc/self/setgroups");
  spec.linux.gid_mappings = {{0, kFirst, 1000}, {1000, 500'000, 1000}};
  const auto ended = run(spec);
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.out, AllOf(HasSubstr("         0     200000      65536\n"),
                               HasSubstr("      1000     500000       1000\n"),
                               HasSubstr("\n0\n0 /made\n0 /dev\n0 /dev/null\n0 /dev/ptmx\n"
                                         "0 /dev/shm\n0 /sys/fs/cgroup\n"),
                               HasSubstr("wrote\n"), HasSubstr("allow\n")));
  struct stat st {};
  ASSERT_EQ(::stat((root_ / "made").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, kFirst);
}

TEST_F(SpecNamespacesTest, UserNamespaceHasAUserLimitsScoreAndFullCapabilities) {
  auto spec = in_user_namespace(
      "id; grep CapEff /proc/self/status; ulimit -n; cat /proc/self/oom_score_adj; "
      "cat /proc/sys/net/ipv4/ip_forward; hostname; echo x > /dev/stdout; mkdir /tmp/m && "
      "mount -t tmpfs x /tmp/m && echo mounted");
  spec.process.user = {.uid = 5, .gid = 6, .additional_gids = {7}};
  spec.process.rlimits = {{"RLIMIT_NOFILE", 300, 300}};
  spec.process.oom_score_adj = 500;
  spec.hostname = "box";
  spec.linux.sysctl = {{"net.ipv4.ip_forward", "1"}};
  auto& caps = spec.process.capabilities;
  for (auto* set :
       {&caps.bounding, &caps.permitted, &caps.effective, &caps.inheritable, &caps.ambient})
    *set = {"CAP_SYS_ADMIN"};
  const auto ended = run(spec);
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("uid=5 gid=6 groups=7"), HasSubstr("CapEff:\t0000000000200000"),
                    HasSubstr("\n300\n500\n1\nbox\nx\nmounted\n")));
}

TEST_F(SpecNamespacesTest, UserNamespaceHasATerminal) {
  auto spec = in_user_namespace("tty; stat -c %u /dev/pts/0 /dev/console");
  spec.process.terminal = true;
  EXPECT_EQ(run(spec).out, "/dev/pts/0\r\n0\r\n0\r\n");
}

TEST_F(SpecNamespacesTest, RefusesMappingsThatMakeNoSense) {
  const auto fails = [&](const oci::Spec& spec, const char* text) {
    const Error error = failure_of(spec);
    EXPECT_EQ(error.code, EINVAL) << error.what;
    EXPECT_THAT(error.what, HasSubstr(text));
  };
  auto spec = in_user_namespace("true");
  spec.linux.uid_mappings = {{0, kFirst, 10}, {5, 500'000, 10}};
  fails(spec, "linux.uidMappings[1]: it overlaps");
  spec.linux.uid_mappings = {{0, kFirst, 0}};
  fails(spec, "linux.uidMappings[0].size");
  spec.linux.uid_mappings = {{1, kFirst, 10}};
  fails(spec, "ID 0 is not mapped");
  spec = shell("true");
  spec.linux.gid_mappings = {{0, kFirst, 10}};
  fails(spec, "there is no user namespace");
}

TEST_F(SpecNamespacesTest, ProgramsAreExecutedInTheUserNamespace) {
  auto first = launch_with(in_user_namespace("sleep 100"));
  ASSERT_THAT(first, IsOk());
  auto process = shell(
                     "id -u; grep CapEff /proc/self/status; cat /proc/self/uid_map; "
                     "touch /tmp/x && stat -c %u /tmp/x; ulimit -n; readlink /proc/self/ns/user")
                     .process;
  process.rlimits = {{"RLIMIT_NOFILE", 200, 200}};
  const auto ended = exec_in(first->pid(), process);
  const auto ns = std::filesystem::read_symlink(ns_of(first->pid(), "user")).string();
  EXPECT_THAT(ended.out, AllOf(HasSubstr("0\nCapEff:\t00000000a80425fb"), HasSubstr("200000"),
                               HasSubstr("\n0\n200\n"), HasSubstr(ns)));
  process.terminal = true;
  process.args = {"tty"};
  auto launched = launch_exec({.pid = first->pid(), .process = &process, .cgroup = &*cgroup_});
  ASSERT_THAT(launched, IsOk());
  ASSERT_THAT(launched->start(), IsOk());
  UniqueFd console = std::move(launched->console());
  EXPECT_EQ(finish(std::move(*launched), std::move(console)).out, "/dev/pts/0\r\n");
  end(*first);
}

TEST_F(SpecNamespacesTest, AUserNamespaceIsJoinedByPath) {
  auto first = launch_with(in_user_namespace("sleep 100"));
  ASSERT_THAT(first, IsOk());
  auto spec = shell(
      "readlink /proc/self/ns/user; readlink /proc/self/ns/net; id -u; "
      "touch /joined && stat -c %u /joined /dev/null; echo $$; hostname");
  spec.hostname = "second";
  spec.linux.namespaces.push_back({"user", ns_of(first->pid(), "user")});
  for (auto& ns : spec.linux.namespaces)
    if (ns.type == "network") ns.path = ns_of(first->pid(), "net");
  const auto ended = run(spec);
  for (const char* ns : {"user", "net"})
    EXPECT_THAT(ended.out,
                HasSubstr(std::filesystem::read_symlink(ns_of(first->pid(), ns)).string()));
  EXPECT_THAT(ended.out, HasSubstr("\n0\n0\n0\n1\nsecond\n"));
  EXPECT_EQ(std::filesystem::exists(root_ / "joined"), true);
  end(*first);
}

TEST_F(SpecNamespacesTest, ANetworkOfTheHostsIsJoinedFromAUserNamespace) {
  auto first = launch_with(shell("sleep 100"));
  ASSERT_THAT(first, IsOk());
  auto spec = in_user_namespace("readlink /proc/self/ns/net");
  for (auto& ns : spec.linux.namespaces)
    if (ns.type == "network") ns.path = ns_of(first->pid(), "net");
  // sysfs is for who owns the network.
  for (auto& mount : spec.mounts)
    if (mount.type == "sysfs") mount = {"/sys", "none", "/sys", {"rbind", "ro"}};
  EXPECT_EQ(run(spec).out,
            std::filesystem::read_symlink(ns_of(first->pid(), "net")).string() + "\n");
  EXPECT_NE(std::filesystem::read_symlink("/proc/self/ns/net"),
            std::filesystem::read_symlink(ns_of(first->pid(), "net")));
  end(*first);
}

TEST_F(SpecNamespacesTest, TimeNamespaceHasItsOffsets) {
  auto spec = shell(
      "cat /proc/self/timens_offsets; cut -d. -f1 /proc/uptime; "
      "readlink /proc/self/ns/time");
  spec.linux.namespaces.push_back({"time", ""});
  spec.linux.time_offsets = {{"monotonic", {.secs = 1000}},
                             {"boottime", {.secs = 500'000'000, .nanosecs = 5}}};
  const auto before = std::filesystem::read_symlink("/proc/self/ns/time");
  const auto ended = run(spec);
  EXPECT_THAT(ended.out, HasSubstr("monotonic        1000         0\n"));
  EXPECT_THAT(ended.out, HasSubstr("boottime    500000000         5\n50"));
  EXPECT_THAT(ended.out, Not(HasSubstr(before.string())));
  EXPECT_EQ(std::filesystem::read_symlink("/proc/self/ns/time"), before);
  EXPECT_EQ(std::filesystem::read_symlink("/proc/self/ns/time_for_children"), before);
}

TEST_F(SpecNamespacesTest, TimeNamespaceIsJoinedAndExecutedIn) {
  auto spec = shell("sleep 100");
  spec.linux.namespaces.push_back({"time", ""});
  spec.linux.time_offsets = {{"boottime", {.secs = 500'000'000}}};
  auto first = launch_with(spec);
  ASSERT_THAT(first, IsOk());
  spec = shell("cut -d. -f1 /proc/uptime");
  spec.linux.namespaces.push_back({"time", ns_of(first->pid(), "time")});
  EXPECT_THAT(run(spec).out, ::testing::StartsWith("50"));
  EXPECT_THAT(exec_in(first->pid(), spec.process).out, ::testing::StartsWith("50"));
  end(*first);
}

TEST_F(SpecNamespacesTest, RefusesOffsetsThatMakeNoSense) {
  auto spec = shell("true");
  spec.linux.time_offsets = {{"boottime", {.secs = 1}}};
  EXPECT_THAT(failure_of(spec).what, HasSubstr("linux.timeOffsets.boottime: there is no new time"));
  spec.linux.namespaces.push_back({"time", ""});
  spec.linux.time_offsets = {{"realtime", {.secs = 1}}};
  EXPECT_THAT(failure_of(spec).what, HasSubstr("linux.timeOffsets.realtime: "));
  spec.linux.time_offsets = {{"boottime", {.secs = -5'000'000'000}}};
  EXPECT_THAT(failure_of(spec).what, HasSubstr("linux.timeOffsets: "));
}

}  // namespace
}  // namespace strata::linux
