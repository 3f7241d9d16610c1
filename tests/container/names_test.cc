#include "runtime/container/names.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "runtime/container/container.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

using testing::FailsWith;
using testing::IsOk;

TEST(ContainerId, IsSixtyFourDigitsAndNew) {
  STRATA_ASSERT_OK(const std::string one, new_id());
  STRATA_ASSERT_OK(const std::string other, new_id());
  EXPECT_TRUE(is_id(one));
  EXPECT_NE(one, other);
  EXPECT_FALSE(is_id(one.substr(1)));
  EXPECT_FALSE(is_id(std::string(64, 'A')));
}

TEST(ContainerName, DefaultsFollowTheId) {
  const std::string id(64, '0');
  EXPECT_EQ(default_name(id, 0), "able_basalt");
  EXPECT_EQ(default_name(id, 2), "able_basalt2");
  EXPECT_NE(default_name(std::string(64, 'f'), 0), default_name(id, 0));
}

TEST(ContainerName, EveryDefaultIsAName) {
  constexpr std::string_view kHex = "0123456789abcdef";
  for (const char a : kHex)
    for (const char b : kHex)
      for (const char c : kHex) {
        const std::string id = std::string(61, '0') + a + b + c;
        EXPECT_THAT(check_name(default_name(id, 0)), IsOk());
      }
}

TEST(ContainerName, RefusesWhatIsNoName) {
  for (const auto* good : {"web", "a1", "web-1.old_x", "0c"})
    EXPECT_THAT(check_name(good), IsOk()) << good;
  for (const auto* bad : {"", "w", "-web", ".web", "../web", "we b", "web/x", "wéb"})
    EXPECT_THAT(check_name(bad), FailsWith(EINVAL)) << bad;
  EXPECT_THAT(check_name(std::string(129, 'a')), FailsWith(EINVAL));
}

class NameIndex : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = image::Store::open(dir_ / "store");
    ASSERT_THAT(store, IsOk());
    store_.emplace(*std::move(store));
  }

  // A container's directory, with a record if `name` is not empty.
  std::string add(char digit, const std::string& name = {}) {
    const std::string id(64, digit);
    EXPECT_THAT(make_dirs(Files(*store_, id).dir()), IsOk());
    if (!name.empty()) {
      Record record;
      record.id = id;
      record.name = name;
      EXPECT_THAT(Container(*store_, record).save({}), IsOk());
      EXPECT_THAT(claim_name(*store_, name, id), IsOk());
    }
    return id;
  }

  testing::TempDir dir_;
  std::optional<image::Store> store_;
};

TEST_F(NameIndex, NamesAreClaimedOnce) {
  const auto a = add('a');
  const auto b = add('b');
  STRATA_ASSERT_OK(const bool first, claim_name(*store_, "web", a));
  EXPECT_TRUE(first);
  STRATA_ASSERT_OK(const bool second, claim_name(*store_, "web", b));
  EXPECT_FALSE(second);
  STRATA_ASSERT_OK(const auto owner, lookup_name(*store_, "web"));
  EXPECT_EQ(owner, a);
}

TEST_F(NameIndex, ANameWhoseContainerIsGoneIsFree) {
  const auto a = add('a');
  const auto b = add('b');
  ASSERT_THAT(claim_name(*store_, "web", a), IsOk());
  ASSERT_THAT(remove_tree(Files(*store_, a).dir()), IsOk());
  STRATA_ASSERT_OK(const bool claimed, claim_name(*store_, "web", b));
  EXPECT_TRUE(claimed);
  STRATA_ASSERT_OK(const auto owner, lookup_name(*store_, "web"));
  EXPECT_EQ(owner, b);
}

TEST_F(NameIndex, OnlyTheOwnerReleases) {
  const auto a = add('a');
  const auto b = add('b');
  ASSERT_THAT(claim_name(*store_, "web", a), IsOk());
  EXPECT_THAT(release_name(*store_, "web", b), IsOk());
  STRATA_ASSERT_OK(auto owner, lookup_name(*store_, "web"));
  EXPECT_EQ(owner, a);
  EXPECT_THAT(release_name(*store_, "web", a), IsOk());
  STRATA_ASSERT_OK(owner, lookup_name(*store_, "web"));
  EXPECT_EQ(owner, std::nullopt);
  EXPECT_THAT(release_name(*store_, "web", a), IsOk());
}

TEST_F(NameIndex, FindsByNameIdAndUnambiguousPrefix) {
  const auto a = add('a', "web");
  const auto b = add('b', "aaaa");  // looks like the start of the other's ID: names come first
  const auto found = [&](std::string_view reference) {
    auto container = Container::find(*store_, reference);
    return container ? container->id() : container.error().what;
  };
  EXPECT_EQ(found("web"), a);
  EXPECT_EQ(found(a), a);
  EXPECT_EQ(found("aaa"), a);
  EXPECT_EQ(found("aaaa"), b);
  EXPECT_EQ(found("b"), b);
  EXPECT_THAT(Container::find(*store_, "cc"), FailsWith(ENOENT, "no container 'cc'"));
  EXPECT_THAT(Container::find(*store_, "../web"), FailsWith(ENOENT));
  EXPECT_THAT(Container::find(*store_, ""), FailsWith(ENOENT));
  const std::string near = std::string(63, 'a') + "b";
  ASSERT_THAT(make_dirs(Files(*store_, near).dir()), IsOk());
  EXPECT_THAT(Container::find(*store_, "aa"), FailsWith(EINVAL, "ambiguous"));
}

TEST_F(NameIndex, ListingGoesOnAfterABrokenRecord) {
  const auto a = add('a', "good");
  const auto b = add('b');
  const auto c = add('c');
  ASSERT_THAT(write_file_atomic(Files(*store_, b).record(), "{\"id\": 7"), IsOk());
  Record stateless;
  stateless.id = c;
  ASSERT_THAT(write_file_atomic(Files(*store_, c).record(), to_json(stateless) + "[]"), IsOk());
  add('d');  // being made, or being removed: no container
  STRATA_ASSERT_OK(const auto listing, list(*store_));
  ASSERT_EQ(listing.containers.size(), 1U);
  EXPECT_EQ(listing.containers.front().first.id(), a);
  EXPECT_EQ(listing.problems.size(), 2U);
}

TEST_F(NameIndex, LockIsExclusiveAndKnowsThatItsObjectIsGone) {
  const Files files(*store_, add('a'));
  {
    STRATA_ASSERT_OK(const auto lock, ContainerLock::take(files, std::chrono::milliseconds(0)));
    EXPECT_THAT(ContainerLock::take(files, std::chrono::milliseconds(5)), FailsWith(EBUSY));
  }
  EXPECT_THAT(ContainerLock::take(files, std::chrono::milliseconds(0)), IsOk());
  ASSERT_THAT(remove_tree(files.dir()), IsOk());
  EXPECT_THAT(ContainerLock::take(files, std::chrono::milliseconds(0)), FailsWith(ENOENT));
}

}  // namespace
}  // namespace strata::container
