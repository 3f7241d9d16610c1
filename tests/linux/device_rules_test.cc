#include "runtime/linux/device_rules.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/linux/cgroup_hierarchies.h"
#include "runtime/linux/sys.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/undo.h"

namespace strata::linux {
namespace {

using oci::DeviceRule;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::FailsWith;

std::vector<std::string> texts(const std::vector<DeviceRule>& rules) {
  std::vector<std::string> out;
  out.reserve(rules.size());
  for (const auto& rule : rules) out.push_back((rule.allow ? "+" : "-") + device_rule_text(rule));
  return out;
}

TEST(DeviceRules, DenyEverythingFirst) {
  STRATA_ASSERT_OK(const auto rules, complete_device_rules({}));
  EXPECT_EQ(texts(rules).front(), "-a");
  EXPECT_THAT(texts(rules), Contains("+c 1:3 rwm"));
  EXPECT_THAT(texts(rules), Contains("+c 136:* rwm"));
  EXPECT_THAT(texts(rules), Contains("+b *:* m"));
}

TEST(DeviceRules, KeepTheSpecsOwnInOrder) {
  STRATA_ASSERT_OK(const auto rules,
                   complete_device_rules(
                       {{.allow = false, .access = "rwm"},
                        {.allow = true, .type = "c", .major = 10, .minor = 229, .access = "rw"},
                        {.allow = false, .type = "b", .major = 8}}));
  const auto all = texts(rules);
  EXPECT_THAT(std::vector(all.begin(), all.begin() + 3),
              ElementsAre("-a", "+c 10:229 rw", "-b 8:* rwm"));
}

TEST(DeviceRules, ForAPrivilegedContainerSayOneThing) {
  STRATA_ASSERT_OK(const auto rules, complete_device_rules({{.allow = true, .access = "rwm"}}));
  EXPECT_THAT(texts(rules), ElementsAre("+a"));
}

TEST(DeviceRules, RefuseNonsense) {
  EXPECT_THAT(complete_device_rules({{.type = "x"}}), FailsWith(EINVAL, "'x'"));
  EXPECT_THAT(complete_device_rules({{.type = "c", .access = "rx"}}), FailsWith(EINVAL, "'rx'"));
  EXPECT_THAT(complete_device_rules({{.type = "c", .major = 1LL << 40}}), FailsWith(EINVAL));
}

// The v2 program at work: in the v2 tree of a hybrid host, too, which the runtime itself does not
// use for this.
class DeviceProgram : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    const auto* tree = CgroupHierarchies::host().unified();
    if (tree == nullptr) GTEST_SKIP() << "no cgroup2 tree is mounted";
    directory_ = tree->mount + "/strata-device-test-" + std::to_string(::getpid());
    ASSERT_TRUE(std::filesystem::create_directory(directory_));
  }
  void TearDown() override {
    if (!directory_.empty()) ::rmdir(directory_.c_str());
  }

  // What `test` returns inside the cgroup.
  template <class Test>
  int inside(const Test& test) {
    const UniqueFd fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    clone_args args{};
    args.flags = CLONE_INTO_CGROUP;
    args.exit_signal = SIGCHLD;
    args.cgroup = static_cast<uint64_t>(fd.get());
    const pid_t child = sys::clone3(args);
    if (child == 0) ::_exit(test());
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  int open_inside(const std::string& path, int flags) {
    return inside([&] { return ::open(path.c_str(), flags) >= 0 ? 0 : errno; });
  }

  void apply(const std::vector<DeviceRule>& rules) {
    std::vector<Cgroup::Directory> directories;
    directories.push_back({.path = directory_, .unified = true});
    ASSERT_THAT(apply_device_rules(directories, rules), testing::IsOk());
  }

  std::string directory_;
  testing::TempDir temp_;
};

TEST_F(DeviceProgram, AllowsTheCommonDevicesOnly) {
  apply({});
  EXPECT_EQ(open_inside("/dev/null", O_RDWR), 0);
  EXPECT_EQ(open_inside("/dev/urandom", O_RDONLY), 0);
  EXPECT_EQ(open_inside("/dev/kmsg", O_RDONLY), EPERM);
  const auto node = temp_ / "node";
  const auto make = [&] {
    return ::mknod(node.c_str(), S_IFBLK | 0600, ::makedev(7, 9)) == 0 ? 0 : errno;
  };
  EXPECT_EQ(inside(make), 0);
  EXPECT_EQ(open_inside(node, O_RDONLY), EPERM);
}

TEST_F(DeviceProgram, TakesTheLastRuleThatApplies) {
  const auto kmsg = [](bool allow, std::string access) {
    return DeviceRule{
        .allow = allow, .type = "c", .major = 1, .minor = 11, .access = std::move(access)};
  };
  apply({kmsg(true, "rwm"), kmsg(false, "w")});
  EXPECT_EQ(open_inside("/dev/kmsg", O_RDONLY | O_NONBLOCK), 0);
  EXPECT_EQ(open_inside("/dev/kmsg", O_WRONLY), EPERM);
}

TEST_F(DeviceProgram, AllowsEverythingIfTold) {
  apply({{.allow = true, .access = "rwm"}});
  EXPECT_EQ(open_inside("/dev/kmsg", O_RDONLY | O_NONBLOCK), 0);
}

}  // namespace
}  // namespace strata::linux
