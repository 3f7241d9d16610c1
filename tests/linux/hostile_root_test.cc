// Images that try to lead mounts and files out of the container's root.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include <gmock/gmock.h>

#include "tests/linux/container_fixture.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class HostileRootTest : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (!cgroup_) return;
    fs::create_directories(outside_);
    before_ = list(outside_);
  }
  void TearDown() override {
    if (cgroup_) {
      EXPECT_EQ(list(outside_), before_);
      EXPECT_EQ(list(temp_.path()), "outside root ");
    }
    ContainerTest::TearDown();
  }
  static std::string list(const fs::path& directory) {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory))
      names.insert(entry.path().filename());
    std::string all;
    for (const auto& name : names) all += name + " ";
    return all;
  }

  fs::path outside_ = temp_.path() / "outside";
  std::string before_;
};

TEST_F(HostileRootTest, ProcAndSysMustBeDirectories) {
  fs::create_directory_symlink("/", root_ / "proc");
  EXPECT_EQ(failure_of(spec_for({"true"})).code, ELOOP);
  fs::remove(root_ / "proc");
  fs::create_directory_symlink("/etc", root_ / "sys");
  EXPECT_THAT(failure_of(spec_for({"true"})).what, HasSubstr("mount sysfs on /sys"));
  fs::remove(root_ / "sys");
  fs::remove(root_ / "proc");
  temp_.write("root/proc", "");
  EXPECT_EQ(failure_of(spec_for({"true"})).code, ENOTDIR);
}

TEST_F(HostileRootTest, DevGoesWhereItsLinkSaysInside) {
  fs::create_directory_symlink("/etc", root_ / "dev");
  const auto ended = run(shell("grep ' /etc tmpfs \\| /etc ' /proc/self/mountinfo; ls /etc/null"));
  EXPECT_THAT(ended.out, HasSubstr("/etc/null"));
}

TEST_F(HostileRootTest, LinksUpwardsEndAtTheRoot) {
  fs::create_directory_symlink("../../../../../../../.." + outside_.string(), root_ / "dev");
  const auto ended = run(shell("ls -d " + outside_.string() + "/null"));
  EXPECT_THAT(ended.out, HasSubstr("/null"));
}

TEST_F(HostileRootTest, VolumesDoNotFollowLinksOut) {
  fs::create_directory_symlink(outside_, root_ / "data");
  fs::create_directory_symlink("../../../..", root_ / "up");
  temp_.write("root/tmp/source/file", "inside");
  auto spec = shell("cat /data/deep/file /up/vol/file");
  const std::string source = root_ / "tmp/source";
  spec.mounts.push_back({"/data/deep", "bind", source, {"bind"}});
  spec.mounts.push_back({"/up/vol", "bind", source, {"bind"}});
  EXPECT_EQ(run(spec).out, "insideinside");
}

TEST_F(HostileRootTest, MagicLinksOfProcAreShut) {
  // By the time of the mounts below, /proc is mounted and its links could lead to the host.
  for (const char* target : {"/proc/self/cwd", "/proc/1/root", "/proc/self/fd/0"}) {
    fs::remove(root_ / "magic");
    fs::create_directory_symlink(target, root_ / "magic");
    auto spec = spec_for({"true"});
    spec.mounts.push_back({"/magic/x", "tmpfs", "tmpfs", {}});
    const auto error = failure_of(spec);
    EXPECT_TRUE(error.code == ELOOP || error.code == ENOENT) << target << ": " << error.what;
  }
}

TEST_F(HostileRootTest, WorkingDirectoryIsMadeInside) {
  fs::create_directory_symlink(outside_, root_ / "linked");
  auto spec = shell("pwd -P");
  spec.process.cwd = "/linked/dir";
  EXPECT_NE(failure_of(spec).code, 0);  // the link dangles inside, mkdir does not follow it
  fs::create_directories(root_ / outside_.relative_path());
  EXPECT_EQ(run(spec).out, outside_.string() + "/dir\n");
}

TEST_F(HostileRootTest, MaskedPathsOfOddKinds) {
  auto spec = shell("cat /secret; ls /dir; echo ok");
  temp_.write("root/secret", "secret");
  temp_.write("root/dir/secret", "secret");
  fs::create_symlink("secret", root_ / "link");
  spec.linux.masked_paths = {"/secret", "/dir", "/nothing", "/secret/below", "/link"};
  EXPECT_EQ(run(spec).out, "ok\n");
}

TEST_F(HostileRootTest, DanglingMountPointsAreMade) {
  fs::create_symlink("../run/stub.conf", root_ / "etc/resolv.conf");
  temp_.write("root/tmp/source", "nameserver ::1\n");
  auto spec = shell("cat /etc/resolv.conf");
  spec.mounts.push_back({"/etc/resolv.conf", "bind", root_ / "tmp/source", {"bind", "ro"}});
  EXPECT_EQ(run(spec).out, "nameserver ::1\n");
}

}  // namespace
}  // namespace strata::linux
