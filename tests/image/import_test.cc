#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "runtime/image/ingest.h"
#include "runtime/image/sha256.h"
#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

using testing::FailsWith;
using testing::import;
using testing::IsOk;
using testing::small_tar;
using testing::TarBuilder;
using Strings = std::vector<std::string>;

class Import : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_ASSERT_OK(Store opened, Store::open(dir_ / "store"));
    store_.emplace(std::move(opened));
    before_ = testing::store_content(*store_);
  }
  void expect_nothing_kept() { EXPECT_EQ(testing::store_content(*store_), before_); }

  testing::TempDir dir_;
  std::optional<Store> store_;
  Strings before_;
};

TEST_F(Import, MakesAnImageThatIsFoundByNameAndId) {
  const std::string tar = small_tar("hello", "world");
  STRATA_ASSERT_OK(const Image image,
                   import(*store_, tar, "web:1",
                          {.authoring = {.author = "me", .message = "why", .changes = {"CMD x"}}}));
  EXPECT_EQ(image.names, Strings{"web:1"});
  ASSERT_EQ(image.layers.size(), 1U);
  EXPECT_EQ(image.layers[0].diff_id, sha256_digest(tar));
  EXPECT_EQ(image.size, 5U);
  EXPECT_EQ(image.config.author, "me");
  EXPECT_EQ(image.config.cmd, (Strings{"/bin/sh", "-c", "x"}));
  EXPECT_EQ(image.config.os, "linux");
  EXPECT_EQ(image.config.history.at(0).comment, "why");
  STRATA_ASSERT_OK(const std::string content, read_file(image.layers[0].tree / "hello"));
  EXPECT_EQ(content, "world");
  for (const std::string& reference :
       {std::string("web:1"), image.id, image.id.substr(7, 8), image.manifest.digest}) {
    STRATA_ASSERT_OK(const auto found, store_->find(reference));
    ASSERT_TRUE(found.has_value()) << reference;
    EXPECT_EQ(found->id, image.id);
  }
  STRATA_ASSERT_OK(const auto absent, store_->find("web"));
  EXPECT_FALSE(absent.has_value()) << "web is web:latest";
  EXPECT_THAT(store_->get("other"), FailsWith(ENOENT, "no image 'other'"));
  EXPECT_THAT(store_->find("sha256:xyz"), FailsWith(EINVAL));
  EXPECT_EQ(testing::findings_of(*store_), "");
}

TEST_F(Import, TakesAnyCompressionAndGivesTheSameLayer) {
  const std::string tar = small_tar("a", "content");
  for (const auto in : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
    for (const auto kept : {Compression::kNone, Compression::kGzip, Compression::kZstd}) {
      STRATA_ASSERT_OK(const Image image,
                       import(*store_, testing::compressed(tar, in), "web", {.compression = kept}));
      EXPECT_EQ(image.layers[0].diff_id, sha256_digest(tar));
      EXPECT_EQ(image.layers[0].blob.media_type, layer_media_type(kept));
    }
  }
  EXPECT_EQ(testing::findings_of(*store_), "");
}

TEST_F(Import, PutsALayerOnABase) {
  STRATA_ASSERT_OK(const Image base,
                   import(*store_, small_tar("a", "1"), "base",
                          {.authoring = {.changes = {"ENV A=1", "CMD [\"/a\"]"}}}));
  STRATA_ASSERT_OK(const Image top,
                   import(*store_, small_tar("b", "22"), "top",
                          {.base = "base", .authoring = {.changes = {"ENV B=2"}}}));
  ASSERT_EQ(top.layers.size(), 2U);
  EXPECT_EQ(top.layers[0].diff_id, base.layers[0].diff_id);
  EXPECT_EQ(top.layers[0].tree, base.layers[0].tree);
  EXPECT_EQ(top.config.env, (Strings{"A=1", "B=2"}));
  EXPECT_EQ(top.config.cmd, Strings{"/a"});
  EXPECT_EQ(top.config.history.size(), 2U);
  EXPECT_EQ(top.size, 3U);
  EXPECT_EQ(top.trees_top_first(), (std::vector{top.layers[1].tree, top.layers[0].tree}));
  EXPECT_THAT(import(*store_, small_tar("b", "2"), "x", {.base = "absent"}), FailsWith(ENOENT));
}

TEST_F(Import, KeepsALayerOnceHoweverManyImagesHaveIt) {
  const std::string tar = small_tar("a", "1");
  ASSERT_THAT(import(*store_, tar, "one", {.authoring = {.changes = {"ENV A=1"}}}), IsOk());
  ASSERT_THAT(import(*store_, tar, "two", {.authoring = {.changes = {"ENV A=2"}}}), IsOk());
  const auto layers = std::filesystem::directory_iterator(store_->layers_dir());
  EXPECT_EQ(std::distance(begin(layers), end(layers)), 1);
  EXPECT_EQ(testing::findings_of(*store_), "");
}

TEST_F(Import, ALayerListedTwiceIsGivenToTheUnionOnce) {
  const std::string tar = small_tar("a", "1");
  ASSERT_THAT(import(*store_, tar, "one"), IsOk());
  STRATA_ASSERT_OK(const Image twice, import(*store_, tar, "two", {.base = "one"}));
  EXPECT_EQ(twice.layers.size(), 2U);
  EXPECT_EQ(twice.trees_top_first().size(), 1U);
}

TEST_F(Import, AnImageMadeAnewTakesTheNameOver) {
  STRATA_ASSERT_OK(const Image old, import(*store_, small_tar("a", "1"), "web"));
  STRATA_ASSERT_OK(const Image now, import(*store_, small_tar("a", "2"), "web"));
  STRATA_ASSERT_OK(const Image web, store_->get("web"));
  EXPECT_EQ(web.id, now.id);
  STRATA_ASSERT_OK(const Image left, store_->get(old.id));
  EXPECT_TRUE(left.names.empty());
}

TEST_F(Import, RefusesBadRequestsBeforeReadingAnything) {
  testing::StringSource source(small_tar("a", "1"));
  EXPECT_THAT(import_tar(*store_, source, "t", "Bad Name"), FailsWith(EINVAL));
  EXPECT_THAT(import_tar(*store_, source, "t", "web", {.authoring = {.changes = {"RUN x"}}}),
              FailsWith(EINVAL));
  EXPECT_FALSE(source.at_end());
  expect_nothing_kept();
}

TEST_F(Import, NamesTheFileAndTheAttributeThatCannotBeSet) {
  testing::TarBuilder tar;
  tar.add(
      {.name = "usr/ping", .content = "x", .pax = {{"SCHILY.xattr.security.capability", "bad"}}});
  EXPECT_THAT(import(*store_, tar.bytes(), "web"),
              FailsWith(EINVAL, "entry 'usr/ping': set extended attribute security.capability"));
}

TEST_F(Import, RefusesNamesThatLookLikeIds) {
  for (const char* name : {"ae94ea795ab5", "sha256:abc", "sha256:0123456789ab"})
    EXPECT_THAT(import(*store_, small_tar("a", "x"), name),
                FailsWith(EINVAL, "would be taken for"));
  EXPECT_THAT(import(*store_, small_tar("a", "x"), "ae94ea795ab5:1"), IsOk());
  EXPECT_THAT(tag_image(*store_, "ae94ea795ab5:1", std::string(64, 'a')),
              FailsWith(EINVAL, "would be taken for an image ID"));
  EXPECT_THAT(tag_image(*store_, "ae94ea795ab5:1", "cafe"), IsOk());
}

TEST_F(Import, KeepsNothingOfAHostileTar) {
  const std::string good = small_tar("a", std::string(100'000, 'x'));
  const std::vector<std::pair<const char*, std::string>> tars{
      {"empty", ""},
      {"no tar", std::string(5000, 'x')},
      {"absolute", small_tar("/etc/passwd", "x")},
      {"climbing", small_tar("../../evil", "x")},
      {"climbing inside", small_tar("a/../../evil", "x")},
      {"through a link", TarBuilder().symlink("d", "/etc").file("d/evil", "x").bytes()},
      {"hard link outside", TarBuilder().hard_link("a", "../../etc/passwd").bytes()},
      {"truncated", good.substr(0, 50'000)},
      {"truncated gzip", testing::compressed(good, Compression::kGzip).substr(0, 100)},
      {"huge", TarBuilder().add({.name = "big", .claimed_size = 1LL << 40}).bytes()},
  };
  for (const auto& [what, tar] : tars) {
    const auto image = import(*store_, tar, "evil");
    EXPECT_FALSE(image.has_value()) << what;
    expect_nothing_kept();
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ / "evil"));
}

TEST_F(Import, StopsAtItsLimits) {
  const std::string zeros = small_tar("zeros", std::string(8'000'000, '\0'));
  const std::string bomb = testing::compressed(zeros, Compression::kGzip);
  EXPECT_THAT(import(*store_, zeros, "a", {.limits = {.max_layer_bytes = 1'000'000}}),
              FailsWith(EFBIG));
  EXPECT_THAT(import(*store_, bomb, "a", {.limits = {.ratio_from = 1'000'000}}),
              FailsWith(EFBIG, "bomb"));
  testing::TarBuilder many;
  for (int i = 0; i < 100; ++i) many.file(std::to_string(i));
  EXPECT_THAT(import(*store_, many.bytes(), "a", {.limits = {.max_entries = 99}}),
              FailsWith(EFBIG));
  expect_nothing_kept();
  EXPECT_THAT(import(*store_, bomb, "a"), IsOk()) << "eight megabytes are no bomb";
}

TEST_F(Import, ReportsHowFarItIs) {
  std::string last;
  const auto report = [&](std::string_view text) { last = text; };
  ASSERT_THAT(import(*store_, small_tar("a", "1"), "web", {.report = report}), IsOk());
  EXPECT_EQ(last, "test.tar, 2.0 kB");
}

}  // namespace
}  // namespace strata::image
