#include "runtime/container/user.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

using testing::FailsWith;
using testing::IsOk;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "4711:x:1234:1234::/home/digits:/bin/sh\n"
    "homeless:x:50:50:::\n";
constexpr std::string_view kGroup =
    "root:x:0:\n"
    "adm:x:4:www-data,homeless\n"
    "www-data:x:33:\n"
    "tape:x:26:other,www-data\n"
    "again:x:26:www-data\n";

ResolvedUser resolved(std::string_view user) {
  auto result = resolve_user(user, kPasswd, kGroup);
  EXPECT_THAT(result, IsOk()) << user;
  return std::move(result).value_or(ResolvedUser{});
}

TEST(User, NoneIsRoot) {
  const auto root = resolved("");
  EXPECT_EQ(root.ids.uid, 0U);
  EXPECT_EQ(root.ids.gid, 0U);
  EXPECT_EQ(root.home, "/root");
  EXPECT_TRUE(root.ids.additional_gids.empty());
}

TEST(User, ByNameComesWithItsGroups) {
  const auto user = resolved("www-data");
  EXPECT_EQ(user.ids.uid, 33U);
  EXPECT_EQ(user.ids.gid, 33U);
  EXPECT_EQ(user.home, "/var/www");
  EXPECT_EQ(user.ids.additional_gids, (std::vector<uint32_t>{4, 26}));
}

TEST(User, ByNumberIsLookedUpToo) {
  const auto known = resolved("33");
  EXPECT_EQ(known.ids.gid, 33U);
  EXPECT_EQ(known.home, "/var/www");
  EXPECT_EQ(known.ids.additional_gids, (std::vector<uint32_t>{4, 26}));
  const auto unknown = resolved("7777");
  EXPECT_EQ(unknown.ids.uid, 7777U);
  EXPECT_EQ(unknown.ids.gid, 0U);
  EXPECT_EQ(unknown.home, "/");
}

TEST(User, ANameOfDigitsIsAName) {
  EXPECT_EQ(resolved("4711").ids.uid, 1234U);
}

TEST(User, GroupTakesThePlaceOfAllOthers) {
  const auto user = resolved("www-data:adm");
  EXPECT_EQ(user.ids.gid, 4U);
  EXPECT_TRUE(user.ids.additional_gids.empty());
  EXPECT_EQ(resolved("www-data:99").ids.gid, 99U);
  EXPECT_EQ(resolved(":adm").ids.uid, 0U);
  EXPECT_EQ(resolved("33:").ids.gid, 33U);
}

TEST(User, AnEmptyHomeIsTheRoot) {
  EXPECT_EQ(resolved("homeless").home, "/");
}

TEST(User, RefusesWhatIsNotThere) {
  EXPECT_THAT(resolve_user("nobody", kPasswd, kGroup), FailsWith(EINVAL, "no user 'nobody'"));
  EXPECT_THAT(resolve_user("root:staff", kPasswd, kGroup), FailsWith(EINVAL, "no group 'staff'"));
  EXPECT_THAT(resolve_user("4294967296", kPasswd, kGroup), FailsWith(EINVAL, "out of range"));
  EXPECT_THAT(resolve_user("0:2147483648", kPasswd, kGroup), FailsWith(EINVAL, "out of range"));
  EXPECT_THAT(resolve_user("-1", kPasswd, kGroup), FailsWith(EINVAL));
}

TEST(User, NonsenseInTheFilesIsPassedOver) {
  const std::string passwd = std::string(5000, ':') + "\n\n:x:0:0::/:\n" + "a:x:-1:0::/:\n" +
                             "b:x:99999999999:0::/:\n" + "c:x:1\n" + std::string("d\0e", 3) +
                             "\nlast:x:5:6::/home:/bin/sh";
  STRATA_ASSERT_OK(const auto last, resolve_user("last", passwd, "\n:::\nx:x:notanumber:last\n"));
  EXPECT_EQ(last.ids.uid, 5U);
  EXPECT_EQ(last.ids.gid, 6U);
  for (const auto* broken : {"a", "b", "c"})
    EXPECT_THAT(resolve_user(broken, passwd, ""), FailsWith(EINVAL)) << broken;
}

class HostileRoot : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(dir_ / "root/etc"); }
  [[nodiscard]] Result<ResolvedUser> resolve(std::string_view user) const {
    STRATA_TRY(const UniqueFd root, open_file(dir_ / "root", O_PATH | O_DIRECTORY));
    return resolve_user_in(root.get(), user);
  }
  void link(const std::string& target) const {
    std::filesystem::create_symlink(target, dir_ / "root/etc/passwd");
  }

  testing::TempDir dir_;
};

TEST_F(HostileRoot, LinksStayInside) {
  dir_.write("secret", "evil:x:1:1::/:\n");
  dir_.write("root/inside", "good:x:2:2::/:\n");
  link("../../secret");
  EXPECT_THAT(resolve("evil"), FailsWith(EINVAL));
  std::filesystem::remove(dir_ / "root/etc/passwd");
  link((dir_ / "secret").string());
  EXPECT_THAT(resolve("evil"), FailsWith(EINVAL));
  std::filesystem::remove(dir_ / "root/etc/passwd");
  link("/../../../inside");  // the container's root is as far up as it goes
  EXPECT_THAT(resolve("good"), IsOk());
}

TEST_F(HostileRoot, OnlyRegularFilesAreRead) {
  ASSERT_EQ(::mkfifo((dir_ / "root/etc/passwd").c_str(), 0600), 0);
  EXPECT_THAT(resolve("0"), IsOk()) << "and nobody waits for a writer";
  std::filesystem::remove(dir_ / "root/etc/passwd");
  std::filesystem::create_directory(dir_ / "root/etc/passwd");
  EXPECT_THAT(resolve("0"), IsOk());
}

TEST_F(HostileRoot, HugeFilesCostLittle) {
  dir_.write("root/etc/passwd", "first:x:1:1::/:\n");
  ASSERT_EQ(::truncate((dir_ / "root/etc/passwd").c_str(), off_t{1} << 40), 0);
  EXPECT_THAT(resolve("first"), IsOk());
}

TEST_F(HostileRoot, NoFilesAtAll) {
  std::filesystem::remove(dir_ / "root/etc");
  STRATA_ASSERT_OK(const auto root, resolve(""));
  EXPECT_EQ(root.home, "/");
}

}  // namespace
}  // namespace strata::container
