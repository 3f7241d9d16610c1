// Filters of the spec's own: what they answer, by running their programs, and inside a container.

#include "runtime/linux/seccomp_compile.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <gmock/gmock.h>

#include "runtime/linux/seccomp_listener.h"
#include "tests/linux/container_fixture.h"
#include "tests/support/descriptor_socket.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::linux {
namespace {

using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

oci::Seccomp allow_but(oci::SeccompRule rule) {
  return {.default_action = "SCMP_ACT_ALLOW",
          .architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"},
          .syscalls = {std::move(rule)}};
}

class SeccompCompileTest : public ContainerTest {
 protected:
  // What the script says under the filter.
  Ended run_under(const oci::Seccomp& seccomp, const std::string& script,
                  bool no_new_privileges = false) {
    auto filter = compile_seccomp(seccomp);
    EXPECT_THAT(filter, IsOk());
    if (!filter) return {};
    auto spec = shell(script);
    spec.process.no_new_privileges = no_new_privileges;
    OutputPipe pipe = make_output_pipe();
    const UniqueFd root = clone_root();
    auto launched = launch({.spec = &spec,
                            .root_mount = root.get(),
                            .cgroup = &*cgroup_,
                            .stdio = {.out = pipe.write.get(), .err = pipe.write.get()},
                            .seccomp = filter->program,
                            .seccomp_flags = filter->flags});
    if (!launched || !launched->start()) {
      ADD_FAILURE() << (launched ? "not started" : launched.error().what);
      return {};
    }
    pipe.write.reset();
    return finish(std::move(*launched), std::move(pipe.read));
  }
};

TEST_F(SeccompCompileTest, EveryActionDoesWhatItSays) {
  const auto chmod = [](const char* action) {
    return allow_but({.names = {"chmod", "fchmodat"}, .action = action});
  };
  constexpr const char* kScript = "chmod 700 /tmp; echo status $?";
  EXPECT_EQ(run_under(chmod("SCMP_ACT_ALLOW"), kScript).out, "status 0\n");
  EXPECT_EQ(run_under(chmod("SCMP_ACT_LOG"), kScript).out, "status 0\n");
  EXPECT_THAT(run_under(chmod("SCMP_ACT_ERRNO"), kScript).out,
              HasSubstr("Operation not permitted\nstatus 1\n"));
  for (const char* action :
       {"SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"})
    EXPECT_THAT(run_under(chmod(action), kScript).out, HasSubstr("status 159\n")) << action;
  // Without a tracer a traced call is not there.
  EXPECT_THAT(run_under(chmod("SCMP_ACT_TRACE"), kScript).out,
              HasSubstr("Function not implemented\nstatus 1\n"));
  auto seccomp = chmod("SCMP_ACT_ERRNO");
  seccomp.syscalls[0].errno_ret = ENOSPC;
  EXPECT_THAT(run_under(seccomp, kScript).out, HasSubstr("No space left on device"));
}

TEST_F(SeccompCompileTest, EveryComparisonDoesWhatItSays) {
  struct Case {
    const char* op;
    uint64_t value, value_two;
    std::array<bool, 3> refused;  // chmod of 0600, 0700, 0755
  };
  constexpr Case kCases[] = {{"SCMP_CMP_EQ", 0700, 0, {false, true, false}},
                             {"SCMP_CMP_NE", 0700, 0, {true, false, true}},
                             {"SCMP_CMP_LT", 0700, 0, {true, false, false}},
                             {"SCMP_CMP_LE", 0700, 0, {true, true, false}},
                             {"SCMP_CMP_GT", 0700, 0, {false, false, true}},
                             {"SCMP_CMP_GE", 0700, 0, {false, true, true}},
                             {"SCMP_CMP_MASKED_EQ", 0055, 0055, {false, false, true}}};
  for (const auto& c : kCases) {
    oci::SeccompRule rule{.names = {"chmod"}, .action = "SCMP_ACT_ERRNO"};
    rule.args = {{1, c.value, c.value_two, c.op}};
    const auto ended = run_under(allow_but(rule),
                                 "for m in 600 700 755; do chmod $m /tmp 2> /dev/null; "
                                 "echo -n \"$? \"; done");
    std::string expected;
    for (const bool refused : c.refused) expected += refused ? "1 " : "0 ";
    EXPECT_EQ(ended.out, expected) << c.op;
  }
}

TEST_F(SeccompCompileTest, ConditionsOnOneArgumentAreAlternatives) {
  oci::SeccompRule rule{.names = {"chmod"}, .action = "SCMP_ACT_ERRNO"};
  rule.args = {{1, 0600, 0, "SCMP_CMP_EQ"}, {1, 0700, 0, "SCMP_CMP_EQ"}};
  EXPECT_EQ(run_under(allow_but(rule),
                      "for m in 600 700 755; do chmod $m /tmp 2> /dev/null; echo -n \"$? \"; done")
                .out,
            "1 1 0 ");
}

TEST_F(SeccompCompileTest, RunsUnderTheProfileThatEnginesUse) {
  constexpr const char* kProfile = "/usr/share/containers/seccomp.json";
  const auto text = read_file_if_exists(kProfile);
  if (!text || !*text) GTEST_SKIP() << kProfile << " is not here";
  // Podman's profile has rules for capabilities and architectures, which podman resolves.
  const Json profile = Json::parse(**text);
  Json seccomp = {{"defaultAction", profile.at("defaultAction")}, {"syscalls", Json::array()}};
  for (const auto& rule : profile.at("syscalls")) {
    const Json includes = rule.value("includes", Json::object());
    const Json arches = includes.value("arches", Json::array());
    const bool here =
        arches.empty() || std::find(arches.begin(), arches.end(), "amd64") != arches.end();
    if (here && !includes.contains("caps")) seccomp["syscalls"].push_back(rule);
  }
  const Json config = {{"ociVersion", "1.0.2"}, {"linux", {{"seccomp", seccomp}}}};
  STRATA_ASSERT_OK(const auto spec, oci::from_json(config.dump(), "config.json"));
  for (const bool no_new_privileges : {false, true})
    EXPECT_THAT(run_under(*spec.linux.seccomp,
                          "mount -t tmpfs x /tmp; grep -E 'Seccomp:|NoNew' /proc/self/status",
                          no_new_privileges)
                    .out,
                HasSubstr("Seccomp:\t2\n"));
}

TEST_F(SeccompCompileTest, AListenerDecides) {
  auto seccomp = allow_but({.names = {"chmod"}, .action = "SCMP_ACT_NOTIFY"});
  seccomp.listener_path = temp_ / "listener";
  STRATA_ASSERT_OK(const auto filter, compile_seccomp(seccomp));
  EXPECT_TRUE(filter.notifies);

  testing::DescriptorSocket socket(seccomp.listener_path);
  const auto spec = shell("chmod 700 /tmp; echo status $?");
  OutputPipe pipe = make_output_pipe();
  const UniqueFd root = clone_root();
  auto launched = launch({.spec = &spec,
                          .root_mount = root.get(),
                          .cgroup = &*cgroup_,
                          .stdio = {.out = pipe.write.get(), .err = pipe.write.get()},
                          .seccomp = filter.program,
                          .seccomp_flags = filter.flags,
                          .seccomp_listener = filter.notifies});
  ASSERT_THAT(launched, IsOk());
  pipe.write.reset();
  ASSERT_TRUE(launched->seccomp_listener().valid());
  ASSERT_THAT(send_seccomp_listener(seccomp.listener_path, R"({"pid":1})",
                                    launched->seccomp_listener().get()),
              IsOk());
  launched->seccomp_listener().reset();
  ASSERT_THAT(launched->start(), IsOk());

  const auto [text, listener] = socket.receive();
  EXPECT_EQ(text, R"({"pid":1})");
  ASSERT_TRUE(listener);

  seccomp_notif asked{};
  ASSERT_EQ(::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked), 0);
  EXPECT_EQ(asked.data.nr, SYS_chmod);
  seccomp_notif_resp answer{};
  answer.id = asked.id;
  answer.error = -EXDEV;
  ASSERT_EQ(::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer), 0);
  EXPECT_THAT(finish(std::move(*launched), std::move(pipe.read)).out,
              HasSubstr("Invalid cross-device link\nstatus 1\n"));
}

TEST(SeccompCompile, NamesWhatItCannotCompile) {
  const auto fails = [](const oci::Seccomp& seccomp, const char* text) {
    EXPECT_THAT(compile_seccomp(seccomp), FailsWith(EINVAL, text));
  };
  fails({.default_action = "SCMP_ACT_MOON"}, "linux.seccomp.defaultAction: unknown action");
  fails({.default_action = "SCMP_ACT_NOTIFY"}, "linux.seccomp.defaultAction");
  fails({.default_action = "SCMP_ACT_ALLOW", .default_errno_ret = 1},
        "linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW takes none");
  fails({.default_action = "SCMP_ACT_ERRNO", .architectures = {"SCMP_ARCH_PDP11"}},
        "linux.seccomp.architectures[0]: unknown architecture 'SCMP_ARCH_PDP11'");
  fails({.default_action = "SCMP_ACT_ERRNO", .flags = {"SECCOMP_FILTER_FLAG_MOON"}},
        "linux.seccomp.flags[0]: unknown flag");
  const oci::SeccompRule rule{.names = {"chmod"}, .action = "SCMP_ACT_ERRNO"};
  auto bad = rule;
  bad.action = "SCMP_ACT_MOON";
  fails(allow_but(bad), "linux.seccomp.syscalls[0].action: unknown action 'SCMP_ACT_MOON'");
  bad = rule;
  bad.args = {{6, 0, 0, "SCMP_CMP_EQ"}};
  fails(allow_but(bad), "linux.seccomp.syscalls[0].args[0].index");
  bad.args = {{0, 0, 0, "SCMP_CMP_MOON"}};
  fails(allow_but(bad), "linux.seccomp.syscalls[0].args[0].op: unknown operator");
  bad = rule;
  bad.errno_ret = 5000;
  fails(allow_but(bad), "linux.seccomp.syscalls[0].errnoRet");
  bad = rule;
  bad.names = {"no_such_call"};
  fails(allow_but(bad), "unknown system call 'no_such_call'");
  bad.names.clear();
  fails(allow_but(bad), "linux.seccomp.syscalls[0].names");
  bad = rule;
  bad.action = "SCMP_ACT_NOTIFY";
  fails(allow_but(bad), "linux.seccomp.listenerPath");
}

TEST(SeccompCompile, LeavesOutCallsThatItCannotAllow) {
  EXPECT_THAT(compile_seccomp(
                  {.default_action = "SCMP_ACT_ERRNO",
                   .syscalls = {{.names = {"no_such_call", "read"}, .action = "SCMP_ACT_ALLOW"}}}),
              IsOk());
}

TEST(SeccompCompile, TakesEveryFlag) {
  STRATA_ASSERT_OK(
      const auto filter,
      compile_seccomp(
          {.default_action = "SCMP_ACT_ALLOW",
           .flags = {"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                     "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"}}));
  EXPECT_EQ(filter.flags, 2U | 4U | 32U);
}

}  // namespace
}  // namespace strata::linux
