#include "unionfs/files/tree_path.h"

#include <vector>

#include <gtest/gtest.h>

namespace strata::unionfs {
namespace {

TEST(TreePath, IsSplitAndJoined) {
  for (const char* path : {"a", "a/b", "a/b/c.d"}) {
    const auto [parent, name] = split_path(path);
    EXPECT_EQ(join_path(parent, name), path);
  }
  EXPECT_EQ(split_path("a/b").parent, "a");
  EXPECT_EQ(split_path("a").parent, "");
  EXPECT_EQ(split_path("").name, "");
  EXPECT_EQ(join_path("/", "a"), "/a");
}

TEST(TreePath, GivesItsComponents) {
  const auto components = [](std::string_view path) {
    std::vector<std::string_view> all;
    while (!path.empty()) all.push_back(take_component(path));
    return all;
  };
  using Components = std::vector<std::string_view>;
  EXPECT_EQ(components("a/b"), (Components{"a", "b"}));
  EXPECT_EQ(components("//a///b"), (Components{"a", "b"}));
  EXPECT_EQ(components("a/"), (Components{"a", ""}));  // a slash was left, but no name
  EXPECT_EQ(components("/"), (Components{""}));
  EXPECT_EQ(components(""), Components{});
}

}  // namespace
}  // namespace strata::unionfs
