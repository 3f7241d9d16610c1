#include "runtime/linux/mount_plan.h"

#include <sys/mount.h>

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

using testing::FailsWith;
using testing::IsOk;

Result<MountPlan> plan_of(std::vector<oci::Mount> mounts) {
  oci::Spec spec;
  spec.mounts = std::move(mounts);
  return MountPlan::build(spec);
}

oci::Mount tmpfs_on(std::string destination) {
  return {std::move(destination), "tmpfs", "tmpfs", {}};
}

TEST(MountPlan, KeepsTheOrderOfTheSpec) {
  STRATA_ASSERT_OK(const auto plan, plan_of({tmpfs_on("/b"), tmpfs_on("/a"), tmpfs_on("/b/c")}));
  ASSERT_EQ(plan.mounts().size(), 3U);
  EXPECT_EQ(plan.mounts()[0].target, "/b");
  EXPECT_EQ(plan.mounts()[1].target, "/a");
  EXPECT_EQ(plan.mounts()[2].target, "/b/c");
}

TEST(MountPlan, MakesDestinationsPlain) {
  STRATA_ASSERT_OK(const auto plan, plan_of({tmpfs_on("//srv/./data//")}));
  EXPECT_EQ(plan.mounts()[0].target, "/srv/data");
  EXPECT_NE(plan.find("/srv/data"), nullptr);
  EXPECT_EQ(plan.find("/srv"), nullptr);
}

TEST(MountPlan, TakesRelativeDestinationsFromTheRoot) {
  STRATA_ASSERT_OK(const auto plan, plan_of({tmpfs_on("srv/data")}));
  EXPECT_EQ(plan.mounts()[0].target, "/srv/data");
}

TEST(MountPlan, RefusesBadDestinationsByName) {
  EXPECT_THAT(plan_of({tmpfs_on("")}), FailsWith(EINVAL, "mount tmpfs on ''"));
  EXPECT_THAT(plan_of({tmpfs_on("/a/../b")}), FailsWith(EINVAL, "'..'"));
  EXPECT_THAT(plan_of({tmpfs_on("/")}), FailsWith(EINVAL, "root"));
  EXPECT_THAT(plan_of({tmpfs_on("/./")}), FailsWith(EINVAL, "root"));
  EXPECT_THAT(plan_of({tmpfs_on(std::string("/a\0b", 4))}), FailsWith(EINVAL, "NUL"));
}

TEST(MountPlan, TakesDotsInNames) {
  EXPECT_THAT(plan_of({tmpfs_on("/a..b/..c")}), IsOk());
}

TEST(MountPlan, TakesTheLaterOfTwoMountsInOnePlace) {
  STRATA_ASSERT_OK(const auto plan,
                   plan_of({tmpfs_on("/a"), tmpfs_on("/b"), {"/a/", "bind", "/src", {}}}));
  ASSERT_EQ(plan.mounts().size(), 2U);
  EXPECT_EQ(plan.mounts()[0].target, "/b");
  EXPECT_EQ(plan.mounts()[1].target, "/a");
  EXPECT_EQ(plan.mounts()[1].kind, PlannedMount::Kind::kBind);
}

TEST(MountPlan, KnowsBindMountsByTypeAndByOption) {
  STRATA_ASSERT_OK(const auto plan,
                   plan_of({{"/a", "bind", "/src", {}}, {"/b", "", "/src", {"rbind", "ro"}}}));
  EXPECT_EQ(plan.mounts()[0].kind, PlannedMount::Kind::kBind);
  EXPECT_FALSE(plan.mounts()[0].options.recursive);
  EXPECT_EQ(plan.mounts()[1].kind, PlannedMount::Kind::kBind);
  EXPECT_TRUE(plan.mounts()[1].options.recursive);
  EXPECT_THAT(plan_of({{"/a", "bind", "src", {}}}), FailsWith(EINVAL, "source"));
  EXPECT_THAT(plan_of({{"/a", "", "/src", {}}}), FailsWith(EINVAL, "no file system type"));
}

TEST(MountPlan, GivesProcAndSysOrdinaryDirectories) {
  STRATA_ASSERT_OK(
      const auto plan,
      plan_of({{"/proc", "proc", "proc", {}}, {"/sys", "sysfs", "sysfs", {}}, tmpfs_on("/tmp")}));
  EXPECT_TRUE(plan.mounts()[0].wants_plain_directory());
  EXPECT_TRUE(plan.mounts()[1].wants_plain_directory());
  EXPECT_FALSE(plan.mounts()[2].wants_plain_directory());
}

TEST(MountPlan, TakesTheDefaultSpec) {
  EXPECT_THAT(MountPlan::build(oci::default_spec()), IsOk());
}

Result<MountOptions> options_of(std::vector<std::string> options) {
  return parse_mount_options(options);
}

TEST(MountOptions, SortsAttributesFromParameters) {
  STRATA_ASSERT_OK(const auto options,
                   options_of({"nosuid", "noexec", "mode=755", "size=64k", "newinstance"}));
  EXPECT_EQ(options.set, uint64_t{MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC});
  EXPECT_EQ(options.clear, 0U);
  ASSERT_EQ(options.parameters.size(), 3U);
  EXPECT_EQ(options.parameters[0].key, "mode");
  EXPECT_EQ(options.parameters[0].value, "755");
  EXPECT_TRUE(options.parameters[2].is_flag);
}

TEST(MountOptions, LaterOnesWin) {
  STRATA_ASSERT_OK(const auto rw, options_of({"ro", "rw"}));
  EXPECT_EQ(rw.set & MOUNT_ATTR_RDONLY, 0U);
  EXPECT_EQ(rw.clear & MOUNT_ATTR_RDONLY, uint64_t{MOUNT_ATTR_RDONLY});
  STRATA_ASSERT_OK(const auto atime, options_of({"noatime", "strictatime"}));
  EXPECT_EQ(atime.set & MOUNT_ATTR__ATIME, uint64_t{MOUNT_ATTR_STRICTATIME});
  EXPECT_EQ(atime.clear & MOUNT_ATTR__ATIME, uint64_t{MOUNT_ATTR__ATIME});
}

TEST(MountOptions, ReadsRecursiveAttributesAndPropagation) {
  STRATA_ASSERT_OK(const auto options, options_of({"rbind", "rro", "rslave"}));
  EXPECT_EQ(options.recursive_set, uint64_t{MOUNT_ATTR_RDONLY});
  EXPECT_EQ(options.set, 0U);
  EXPECT_EQ(options.propagation, uint64_t{MS_SLAVE});
  EXPECT_TRUE(options.recursive_propagation);
  STRATA_ASSERT_OK(const auto plain, options_of({"shared"}));
  EXPECT_EQ(plain.propagation, uint64_t{MS_SHARED});
  EXPECT_FALSE(plain.recursive_propagation);
}

TEST(MountOptions, RefusesEmptyOnes) {
  EXPECT_THAT(options_of({""}), FailsWith(EINVAL));
  EXPECT_THAT(plan_of({{"/a", "tmpfs", "tmpfs", {""}}}), FailsWith(EINVAL, "mount tmpfs on '/a'"));
}

}  // namespace
}  // namespace strata::linux
