#include "runtime/linux/cgroup_hierarchies.h"

#include <gtest/gtest.h>

namespace strata::linux {
namespace {

TEST(CgroupHierarchies, ReadsAHybridHost) {
  const auto found = CgroupHierarchies::parse(
      "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
      "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
      "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(found.all().size(), 3U);
  ASSERT_NE(found.v1("cpuacct"), nullptr);
  EXPECT_EQ(found.v1("cpuacct"), found.v1("cpu"));
  EXPECT_EQ(found.v1("memory")->mount, "/sys/fs/cgroup/memory");
  EXPECT_EQ(found.v1("pids"), nullptr);
  ASSERT_NE(found.unified(), nullptr);
  EXPECT_EQ(found.unified()->mount, "/sys/fs/cgroup/unified");
}

TEST(CgroupHierarchies, ReadsAUnifiedHost) {
  const auto found =
      CgroupHierarchies::parse("29 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n");
  ASSERT_EQ(found.all().size(), 1U);
  EXPECT_TRUE(found.all()[0].unified);
}

TEST(CgroupHierarchies, TakesTheFirstOfSeveralMounts) {
  const auto found = CgroupHierarchies::parse(
      "1 2 0:1 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "3 2 0:1 / /other/memory rw - cgroup cgroup rw,memory\n"
      "4 2 0:5 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "5 2 0:5 / /other/unified rw - cgroup2 cgroup2 rw\n");
  ASSERT_EQ(found.all().size(), 2U);
  EXPECT_EQ(found.v1("memory")->mount, "/sys/fs/cgroup/memory");
  EXPECT_EQ(found.unified()->mount, "/sys/fs/cgroup/unified");
}

TEST(CgroupHierarchies, PassesOverCoveredMounts) {
  const auto found = CgroupHierarchies::parse(
      "4 2 0:5 / /covered/unified rw - cgroup2 cgroup2 rw\n"
      "5 2 0:5 / /other/unified rw - cgroup2 cgroup2 rw\n"
      "6 2 0:6 / /covered/memory rw - cgroup cgroup rw,memory\n",
      [](const CgroupHierarchy& hierarchy) { return !hierarchy.mount.starts_with("/covered"); });
  ASSERT_EQ(found.all().size(), 1U);
  EXPECT_EQ(found.unified()->mount, "/other/unified");
}

TEST(CgroupHierarchies, UnescapesPathsAndSkipsNonsense) {
  const auto found = CgroupHierarchies::parse(
      "\nnonsense\n1 2 - cgroup\n"
      "1 2 0:1 / /a\\040b\\134c rw - cgroup2 none rw\n");
  ASSERT_EQ(found.all().size(), 1U);
  EXPECT_EQ(found.all()[0].mount, "/a b\\c");
}

}  // namespace
}  // namespace strata::linux
