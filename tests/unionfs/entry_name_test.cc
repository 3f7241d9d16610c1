#include "unionfs/tar/entry_name.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace strata::unionfs::tar {
namespace {

using testing::FailsWith;

TEST(EntryName, IsNormalised) {
  const struct {
    const char* raw;
    const char* path;
  } cases[] = {
      {"a", "a"},
      {"./a", "a"},
      {"a/", "a"},
      {"a//b/./c//", "a/b/c"},
      {".", ""},
      {"./", ""},
      {"././/.", ""},
      {"...", "..."},
      {"..a/b", "..a/b"},
      {"a/.whx", "a/.whx"},
      {"a/b.wh.", "a/b.wh."},
  };
  for (const auto& c : cases) {
    STRATA_ASSERT_OK(const EntryName name, parse_entry_name(c.raw));
    EXPECT_EQ(name.path, c.path) << c.raw;
    EXPECT_EQ(name.kind, NameKind::kPlain) << c.raw;
  }
}

TEST(EntryName, Whiteouts) {
  STRATA_ASSERT_OK(const EntryName whiteout, parse_entry_name("./a/.wh.b"));
  EXPECT_EQ(whiteout.kind, NameKind::kWhiteout);
  EXPECT_EQ(whiteout.path, "a/b");
  STRATA_ASSERT_OK(const EntryName opaque, parse_entry_name("a/b/.wh..wh..opq"));
  EXPECT_EQ(opaque.kind, NameKind::kOpaque);
  EXPECT_EQ(opaque.path, "a/b");
  STRATA_ASSERT_OK(const EntryName root, parse_entry_name(".wh..wh..opq"));
  EXPECT_EQ(root.kind, NameKind::kOpaque);
  EXPECT_EQ(root.path, "");
  // A hidden file may begin with a dot.
  STRATA_ASSERT_OK(const EntryName dot, parse_entry_name(".wh..b"));
  EXPECT_EQ(dot.path, ".b");
}

TEST(EntryName, RefusesWhatCannotBe) {
  for (const char* raw :
       {"", "/a", "/", "..", "../a", "a/../b", "a/..", ".wh.", ".wh..", ".wh...", "a/.wh./b",
        ".wh.a/b", ".wh.a/.wh.b", ".wh..wh.plnk", ".wh..wh.", ".wh..wh..opq/a"})
    EXPECT_THAT(parse_entry_name(raw), FailsWith(EINVAL)) << raw;
  EXPECT_THAT(parse_entry_name(std::string(5000, 'a')), FailsWith(ENAMETOOLONG));
  EXPECT_THAT(parse_entry_name("a/" + std::string(2, '.') + "/" + std::string(10, 'b')),
              FailsWith(EINVAL));
}

TEST(EntryName, MessagesAreSafeToPrint) {
  EXPECT_EQ(in_quotes("etc/passwd"), "'etc/passwd'");
  EXPECT_EQ(in_quotes("\x1b[2J'\\\xc3\xbc"), R"('\x1b[2J\x27\x5c\xc3\xbc')");
  EXPECT_EQ(in_quotes(std::string(300, 'a')), "'" + std::string(256, 'a') + "...'");
}

}  // namespace
}  // namespace strata::unionfs::tar
