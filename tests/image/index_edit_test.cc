#include "runtime/image/index_edit.h"

#include <gtest/gtest.h>

#include "runtime/image/layout.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace strata::image {
namespace {

using Names = std::vector<std::string>;

IndexEntry entry(char digit) {
  return {.target = {"", "sha256:" + std::string(64, digit), 1}};
}

TEST(IndexEdit, AddsAnImageOnce) {
  Index index;
  add_image(index, entry('a'));
  add_image(index, entry('a'));
  EXPECT_EQ(index.size(), 1U);
}

TEST(IndexEdit, ANamedImageHasNoEntryWithoutName) {
  Index index;
  add_image(index, entry('a'));
  set_name(index, entry('a'), "x:1");
  set_name(index, entry('a'), "y:1");
  add_image(index, entry('a'));
  EXPECT_EQ(index.size(), 2U);
  EXPECT_EQ(names_of(index, entry('a').target.digest), (Names{"x:1", "y:1"}));
}

TEST(IndexEdit, AMovedNameLeavesItsImageBehind) {
  Index index;
  set_name(index, entry('a'), "x:1");
  set_name(index, entry('b'), "x:1");
  EXPECT_EQ(names_of(index, entry('a').target.digest), Names{});
  EXPECT_EQ(names_of(index, entry('b').target.digest), Names{"x:1"});
  EXPECT_EQ(index.size(), 2U);
}

TEST(IndexEdit, DropsNamesAndImages) {
  Index index;
  set_name(index, entry('a'), "x:1");
  set_name(index, entry('a'), "y:1");
  EXPECT_TRUE(drop_name(index, "x:1"));
  EXPECT_FALSE(drop_name(index, "x:1"));
  EXPECT_EQ(index.size(), 1U);
  remove_manifest(index, entry('a').target.digest);
  EXPECT_TRUE(index.empty());
}

TEST(UpdateIndex, KeepsTheIndexWhenTheChangeFails) {
  const testing::TempDir dir;
  STRATA_ASSERT_OK(const Store store, Store::open(dir / "store"));
  const auto add = [](Index& index) -> Result<void> {
    set_name(index, entry('a'), "x:1");
    return {};
  };
  ASSERT_THAT(update_index(store, add), testing::IsOk());
  const auto fail_late = [](Index& index) -> Result<void> {
    index.clear();
    return fail(EINVAL, "no");
  };
  EXPECT_THAT(update_index(store, fail_late), testing::FailsWith(EINVAL));
  STRATA_ASSERT_OK(const Index index, read_index(store));
  EXPECT_EQ(index.size(), 1U);
}

}  // namespace
}  // namespace strata::image
