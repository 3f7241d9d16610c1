#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/index/builder.h"
#include "unionfs/index/cache.h"

namespace strata::unionfs::index {
namespace {

using std::filesystem::path;
using testing::FailsWith;
using testing::IsOk;
using testing::TempDir;

class IndexTest : public ::testing::Test {
 protected:
  void SetUp() override { STRATA_NEEDS_ROOT(); }

  // Layers are named bottom first: "0" is the lowest.
  path layer(int number) { return dir_ / std::to_string(number); }
  void write(int number, const std::string& name, const std::string& content = "x") {
    dir_.write(std::to_string(number) + "/" + name, content);
  }
  void whiteout(int number, const std::string& name) {
    const path at = layer(number) / name;
    std::filesystem::create_directories(at.parent_path());
    ASSERT_EQ(::mknod(at.c_str(), S_IFCHR, 0), 0);
  }
  void set_xattr(int number, const std::string& name, const char* xattr, const std::string& value) {
    ASSERT_EQ(::lsetxattr((layer(number) / name).c_str(), xattr, value.data(), value.size(), 0), 0);
  }

  LayerStack stack(int layers) {
    std::vector<path> top_first;
    for (int i = layers; i-- > 0;) top_first.push_back(layer(i));
    return LayerStack::open(top_first).value();
  }
  OpenedIndex open(int layers) { return open_index(stack(layers), dir_ / "index").value(); }

  // Which layer answers; -1: no such file.
  static int answer(const Index& index, const std::string& name) {
    const Record* record = index.lookup(name);
    return record == nullptr ? -1 : static_cast<int>(record->layer);
  }
  static std::set<std::string> names(const Index& index, const std::string& directory) {
    std::set<std::string> found;
    for (const Record* record : index.children(*index.lookup(directory)))
      found.emplace(name_of(*record));
    return found;
  }

  TempDir dir_;
};

TEST_F(IndexTest, TheTopmostLayerAnswers) {
  write(0, "etc/a");
  write(0, "etc/b");
  write(1, "etc/b");
  write(2, "usr/c");
  const Index index = open(3).index;
  EXPECT_EQ(answer(index, "etc/a"), 0);
  EXPECT_EQ(answer(index, "etc/b"), 1);
  EXPECT_EQ(answer(index, "etc"), 1);
  EXPECT_EQ(answer(index, "/usr//c"), 2);
  EXPECT_EQ(answer(index, ""), 2);
  EXPECT_EQ(answer(index, "etc/b/c"), -1);
  EXPECT_EQ(answer(index, "nope"), -1);
  EXPECT_EQ(names(index, "etc"), (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(index.entries(), 6U);
}

TEST_F(IndexTest, WhiteoutsAndOpaqueDirectoriesHide) {
  write(0, "a");
  write(0, "d/x");
  write(0, "d/y/z");
  write(0, "o/old");
  whiteout(1, "a");
  whiteout(1, "d/y");
  whiteout(1, "never/was");
  write(1, "o/new");
  set_xattr(1, "o", kTrustedXattrs.opaque, "y");
  const Index index = open(2).index;
  EXPECT_EQ(answer(index, "a"), -1);
  EXPECT_EQ(answer(index, "d/x"), 0);
  EXPECT_EQ(answer(index, "d/y/z"), -1);
  EXPECT_EQ(names(index, "o"), std::set<std::string>{"new"});
  EXPECT_EQ(names(index, "never"), std::set<std::string>{});
  EXPECT_EQ(index.entries(), 6U) << "/ d d/x o o/new never";
}

TEST_F(IndexTest, WhiteoutsInTheXattrForm) {
  write(0, "d/a");
  write(0, "d/b");
  write(0, "e/a");
  write(1, "d/a", "");
  write(1, "d/b", "");
  write(1, "e/a", "");
  set_xattr(1, "d", kTrustedXattrs.opaque, "x");
  set_xattr(1, "d/a", kTrustedXattrs.whiteout, "");
  set_xattr(1, "e/a", kTrustedXattrs.whiteout, "");  // its directory doesn't say that it holds any
  const Index index = open(2).index;
  EXPECT_EQ(answer(index, "d/a"), -1);
  EXPECT_EQ(answer(index, "d/b"), 1);
  EXPECT_EQ(answer(index, "e/a"), 1);
}

TEST_F(IndexTest, RedirectsLeadToAnotherPlaceBelow) {
  write(0, "old/deep/file");
  write(1, "new/added");
  set_xattr(1, "new", kTrustedXattrs.redirect, "/old/deep");
  whiteout(1, "old");
  write(2, "sub/new2/more");
  set_xattr(2, "sub/new2", kTrustedXattrs.redirect, "/new");
  whiteout(2, "new");
  const Index index = open(3).index;
  EXPECT_EQ(names(index, "sub/new2"), (std::set<std::string>{"added", "file", "more"}));
  EXPECT_EQ(path_in_layer(*index.lookup("sub/new2/file")), "old/deep/file");
  EXPECT_EQ(answer(index, "old"), -1);
  EXPECT_EQ(answer(index, "new"), -1);
}

TEST_F(IndexTest, TheUserFamilyIsReadWhenAsked) {
  write(0, "d/old");
  write(1, "d/new");
  set_xattr(1, "d", kUserXattrs.opaque, "y");
  const Index trusted = open_index(stack(2), std::nullopt).value().index;
  const Index user = open_index(stack(2), std::nullopt, kUserXattrs).value().index;
  EXPECT_EQ(names(trusted, "d").size(), 2U);
  EXPECT_EQ(names(user, "d").size(), 1U);
}

TEST_F(IndexTest, ALayerOnTopCostsOnlyItself) {
  for (int i = 0; i < 3000; ++i) write(0, "big/" + std::to_string(i));
  write(1, "big/one");
  const OpenedIndex first = open(1);
  EXPECT_EQ(first.built, 1U);
  const OpenedIndex second = open(2);
  EXPECT_EQ(second.built, 1U);
  EXPECT_LT(second.index.segment(1).bytes().size(), 4096U);
  EXPECT_EQ(open(2).built, 0U);
  EXPECT_EQ(names(second.index, "big").size(), 3001U);
  for (int i = 0; i < 3000; ++i) ASSERT_EQ(answer(second.index, "big/" + std::to_string(i)), 0);
}

TEST_F(IndexTest, DamageIsFoundWhereverItIs) {
  write(0, "etc/a");
  write(1, "etc/b");
  (void)open(2);
  std::vector<path> files;
  for (const auto& entry : std::filesystem::directory_iterator(dir_ / "index"))
    files.push_back(entry.path());
  ASSERT_EQ(files.size(), 2U);
  for (const path& file : files) {
    const std::string good = read_file(file).value();
    for (size_t at = 0; at < good.size(); at += 7) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      ASSERT_THAT(write_file_atomic(file, bad, Durability::kAtomic), IsOk());
      ASSERT_THAT(Segment::open(file), FailsWith(EBADMSG)) << "byte " << at;
    }
    for (const size_t size : {size_t{0}, size_t{10}, sizeof(Header), good.size() - 1}) {
      ASSERT_THAT(write_file_atomic(file, good.substr(0, size), Durability::kAtomic), IsOk());
      ASSERT_THAT(Segment::open(file), FailsWith(EBADMSG)) << size << " bytes";
    }
    const OpenedIndex opened = open(2);
    EXPECT_GE(opened.built, 1U);
    EXPECT_EQ(answer(opened.index, "etc/a"), 0);
    EXPECT_EQ(open(2).built, 0U) << "it was put right";
  }
}

TEST_F(IndexTest, ALayerMadeAnewIsSeen) {
  write(0, "a");
  write(1, "b");
  (void)open(2);
  std::filesystem::remove_all(layer(0));
  write(0, "other");
  const OpenedIndex opened = open(2);
  EXPECT_EQ(opened.built, 2U) << "the layer, and what was built on it";
  EXPECT_EQ(answer(opened.index, "a"), -1);
  EXPECT_EQ(answer(opened.index, "other"), 0);
}

TEST_F(IndexTest, ASegmentOfAnotherStackIsRefused) {
  write(0, "a");
  write(1, "b");
  write(2, "c");
  const OpenedIndex opened = open(3);
  const auto on_nothing = build_segment(Index(), stack(1).fd(0)).value();
  EXPECT_THAT(opened.index.with(on_nothing), FailsWith(EBADMSG));
  const Index two = open(2).index;
  EXPECT_THAT(two.with(build_segment(opened.index, stack(1).fd(0)).value()), FailsWith(EBADMSG));
}

TEST_F(IndexTest, VerifySeesChangesBehindTheIndex) {
  write(0, "etc/a");
  write(1, "etc/b");
  const OpenedIndex opened = open(2);
  EXPECT_THAT(verify_index(stack(2), opened.index), IsOk());
  write(0, "etc/later");
  EXPECT_THAT(verify_index(stack(2), opened.index), FailsWith(EUCLEAN, layer(0).string()));
}

TEST_F(IndexTest, AMetacopyWithoutItsContentIsAnError) {
  write(0, "a");
  write(1, "gone", "");
  set_xattr(1, "gone", kTrustedXattrs.metacopy, "");
  EXPECT_THAT(open_index(stack(2), std::nullopt), FailsWith(ESTALE, "gone"));
}

TEST_F(IndexTest, AttributesAreThoseOfTheLayer) {
  write(0, "file", "12345");
  set_xattr(0, "file", "user.colour", "green");
  set_xattr(0, "file", "trusted.overlay.overlay.x", "escaped");
  ASSERT_EQ(::symlink("file", (layer(0) / "link").c_str()), 0);
  ASSERT_EQ(::mknod((layer(0) / "null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  const Index index = open(1).index;
  const Record* file = index.lookup("file");
  EXPECT_EQ(file->size, 5U);
  const auto xattrs = xattrs_of(*file);
  ASSERT_EQ(xattrs.size(), 2U);
  EXPECT_EQ(xattrs[0].name, "trusted.overlay.x");
  EXPECT_EQ(xattrs[1].name, "user.colour");
  EXPECT_EQ(xattrs[1].value, "green");
  EXPECT_EQ(target_of(*index.lookup("link")), "file");
  EXPECT_EQ(index.lookup("null")->device, makedev(1, 3));
}

TEST_F(IndexTest, WhereItCantBeKeptItIsBuiltInMemory) {
  write(0, "a");
  dir_.write("a-file", "");
  const auto opened = open_index(stack(1), dir_ / "a-file/index");
  STRATA_ASSERT_OK(const OpenedIndex index, opened);
  EXPECT_EQ(answer(index.index, "a"), 0);
}

}  // namespace
}  // namespace strata::unionfs::index
