#include "runtime/image/maintain.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

#include "runtime/image/workspace.h"
#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

using testing::FailsWith;
using testing::findings_of;
using testing::import;
using testing::IsOk;
using testing::small_tar;
using Strings = std::vector<std::string>;

class Maintain : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_ASSERT_OK(Store opened, Store::open(dir_ / "store"));
    store_.emplace(std::move(opened));
    before_ = testing::store_content(*store_);
  }
  Image make(const std::string& name, const std::string& content,
             const ImportOptions& options = {}) {
    auto image = import(*store_, small_tar("file", content), name, options);
    EXPECT_THAT(image, IsOk());
    return image.value_or(Image{});
  }
  // A container's directory as far as images are concerned.
  void make_container(const std::string& id, const Image& image) {
    std::filesystem::create_directories(store_->containers_dir() / id);
    std::ofstream(store_->containers_dir() / id / "image") << image.id << "\n";
  }
  [[nodiscard]] size_t layers() const {
    const auto dir = std::filesystem::directory_iterator(store_->layers_dir());
    return static_cast<size_t>(std::distance(begin(dir), end(dir)));
  }

  testing::TempDir dir_;
  std::optional<Store> store_;
  Strings before_;
};

TEST_F(Maintain, ANameComesAndGoes) {
  const Image image = make("web:1", "x");
  STRATA_ASSERT_OK(const std::string name, tag_image(*store_, "web:1", "prod"));
  EXPECT_EQ(name, "prod:latest");
  STRATA_ASSERT_OK(const Image tagged, store_->get("prod"));
  EXPECT_EQ(tagged.names, (Strings{"prod:latest", "web:1"}));
  STRATA_ASSERT_OK(const Removal removal, remove_image(*store_, "prod", false));
  EXPECT_EQ(removal.untagged, Strings{"prod:latest"});
  EXPECT_TRUE(removal.removed.empty());
  EXPECT_THAT(store_->get("web:1"), IsOk());
  EXPECT_THAT(tag_image(*store_, "absent", "x"), FailsWith(ENOENT));
  EXPECT_THAT(tag_image(*store_, "web:1", "X Y"), FailsWith(EINVAL));
}

TEST_F(Maintain, TheLastNameTakesTheImageAlong) {
  const Image image = make("web", "x");
  STRATA_ASSERT_OK(const Removal removal, remove_image(*store_, "web", false));
  EXPECT_EQ(removal.removed, Strings{image.id});
  EXPECT_GT(removal.bytes, 0U);
  auto content = testing::store_content(*store_);
  std::erase(content, "images/index.json");
  EXPECT_EQ(content, before_);
  EXPECT_EQ(findings_of(*store_), "");
  EXPECT_THAT(remove_image(*store_, "web", false), FailsWith(ENOENT));
}

TEST_F(Maintain, WhatOthersShareStays) {
  make("base", "x");
  const Image a = make("a", "1", {.base = "base"});
  make("b", "2", {.base = "base"});
  EXPECT_EQ(layers(), 3U);
  ASSERT_THAT(remove_image(*store_, "a", false), IsOk());
  EXPECT_EQ(layers(), 2U);
  ASSERT_THAT(remove_image(*store_, "base", false), IsOk());
  EXPECT_EQ(layers(), 2U);
  EXPECT_EQ(findings_of(*store_), "");
}

TEST_F(Maintain, AnIdWithSeveralNamesNeedsForce) {
  const Image image = make("a", "x");
  ASSERT_THAT(tag_image(*store_, "a", "b"), IsOk());
  EXPECT_THAT(remove_image(*store_, image.id, false), FailsWith(EBUSY, "a:latest, b:latest"));
  STRATA_ASSERT_OK(const Removal removal, remove_image(*store_, image.id.substr(7, 12), true));
  EXPECT_EQ(removal.untagged.size(), 2U);
  EXPECT_EQ(removal.removed.size(), 1U);
}

TEST_F(Maintain, AnImageInUseStays) {
  const Image image = make("web", "x");
  make_container("c0ffee", image);
  EXPECT_THAT(remove_image(*store_, "web", false), FailsWith(EBUSY, "c0ffee"));
  EXPECT_THAT(remove_image(*store_, image.id, false), FailsWith(EBUSY));
  STRATA_ASSERT_OK(const Removal removal, remove_image(*store_, "web", true));
  EXPECT_EQ(removal.untagged, Strings{"web:latest"});
  EXPECT_TRUE(removal.removed.empty());
  STRATA_ASSERT_OK(const PruneReport kept, prune_images(*store_));
  EXPECT_TRUE(kept.images.empty());
  EXPECT_THAT(store_->get(image.id), IsOk());
  std::filesystem::remove_all(store_->containers_dir() / "c0ffee");
  STRATA_ASSERT_OK(const PruneReport pruned, prune_images(*store_));
  EXPECT_EQ(pruned.images, Strings{image.id});
  EXPECT_EQ(layers(), 0U);
}

TEST_F(Maintain, PruneTakesWhatNothingReachesAndNothingElse) {
  make("web", "old");
  make("web", "new");
  STRATA_ASSERT_OK(const auto workspace, Workspace::create(*store_));  // of somebody at work
  const auto refuse = store_->tmp_dir() / "123-abcdef";
  std::filesystem::create_directories(refuse / "tree");
  std::ofstream(store_->layout_dir() / "index.json.abcdef") << "{";
  std::filesystem::create_directories(store_->layers_dir() / std::string(64, 'a'));
  std::ofstream(store_->layout_dir() / "blobs/sha256" / std::string(64, 'b')) << "x";
  STRATA_ASSERT_OK(const PruneReport report, prune_images(*store_));
  EXPECT_EQ(report.images.size(), 1U);
  EXPECT_EQ(report.layers, 2U);
  EXPECT_EQ(report.blobs, 4U);
  EXPECT_EQ(report.leftovers, 2U);
  EXPECT_FALSE(std::filesystem::exists(refuse));
  EXPECT_EQ(findings_of(*store_), "");
  const auto tmp = std::filesystem::directory_iterator(store_->tmp_dir());
  EXPECT_EQ(std::distance(begin(tmp), end(tmp)), 1) << "the live workspace";
}

TEST_F(Maintain, FsckFindsAndRepairsWhatItCan) {
  const Image image = make("web", "x");
  make_container("c0ffee", image);
  std::filesystem::remove_all(image.layers[0].tree);
  std::filesystem::create_directories(store_->tmp_dir() / "1-dead");
  std::ofstream(store_->layout_dir() / "blobs/sha256" / "stray") << "x";
  const std::string found = findings_of(*store_);
  for (const char* kind : {"missing-layer", "unreachable-blob", "leftover"})
    EXPECT_NE(found.find(kind), std::string::npos) << found;
  const std::string repaired = findings_of(*store_, true);
  EXPECT_EQ(std::count(repaired.begin(), repaired.end(), '\n'), 3) << repaired;
  EXPECT_EQ(findings_of(*store_), "");
  STRATA_ASSERT_OK(const std::string content, read_file(image.layers[0].tree / "file"));
  EXPECT_EQ(content, "x");
}

TEST_F(Maintain, FsckSeesDamagedBlobs) {
  const Image image = make("web", "x");
  const auto blob = store_->blob_path(image.layers[0].blob.digest);
  std::fstream file(blob, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(20);
  file.put('?');
  file.close();
  EXPECT_NE(findings_of(*store_).find("damaged-blob " + blob.string()), std::string::npos);
  std::filesystem::resize_file(blob, 10);
  EXPECT_NE(findings_of(*store_).find("10 bytes instead of"), std::string::npos);
  std::filesystem::remove(blob);
  std::filesystem::remove_all(image.layers[0].tree);
  const std::string found = findings_of(*store_, true);
  EXPECT_NE(found.find("missing-blob"), std::string::npos);
  EXPECT_NE(found.find("missing-layer"), std::string::npos);
  EXPECT_EQ(found.find("(repaired)"), std::string::npos) << found;
}

TEST_F(Maintain, NothingIsThrownAwayOnAGuess) {
  const Image image = make("web", "x");
  const size_t before = testing::store_content(*store_).size();
  ASSERT_THAT(write_file_atomic(store_->layout_dir() / "index.json", "{damaged"), IsOk());
  EXPECT_THAT(prune_images(*store_), FailsWith(EBADMSG, "strata fsck --repair"));
  EXPECT_NE(findings_of(*store_).find("damaged-index"), std::string::npos);
  EXPECT_EQ(testing::store_content(*store_).size(), before);
}

TEST_F(Maintain, ADamagedIndexIsMadeAnewWithoutNames) {
  const Image web = make("web", "x");
  const Image db = make("db", "y");
  const Strings before = testing::store_content(*store_);
  const auto path = store_->layout_dir() / "index.json";
  STRATA_ASSERT_OK(const std::string index, read_file(path));
  const std::string damaged = index.substr(0, index.size() - 5);
  ASSERT_THAT(write_file_atomic(path, damaged), IsOk());
  EXPECT_THAT(store_->list(), FailsWith(EBADMSG, path.string() + ": line 1, column "));

  const std::string found = findings_of(*store_);
  EXPECT_TRUE(found.starts_with("damaged-index " + path.string() + ": line 1, column ")) << found;
  const std::string repaired = findings_of(*store_, true);
  EXPECT_NE(repaired.find("manifests of 2 images; their names are lost"), std::string::npos)
      << repaired;
  EXPECT_EQ(std::count(repaired.begin(), repaired.end(), '\n'), 1) << repaired;
  EXPECT_EQ(findings_of(*store_), "");
  EXPECT_EQ(testing::store_content(*store_), before);
  for (const Image* image : {&web, &db}) {
    STRATA_ASSERT_OK(const Image again, store_->get(image->id));
    EXPECT_EQ(again.names, Strings());
    EXPECT_EQ(again.manifest.digest, image->manifest.digest);
  }
  STRATA_ASSERT_OK(const std::string kept, read_file(store_->root() / "index.json.damaged"));
  EXPECT_EQ(kept, damaged);
  EXPECT_THAT(tag_image(*store_, web.id, "web"), IsOk());
}

TEST_F(Maintain, DocumentsAreWhatTheirDigestsSay) {
  const Image image = make("web", "x");
  for (const auto& digest : {image.id, image.manifest.digest}) {
    const auto blob = store_->blob_path(digest);
    STRATA_ASSERT_OK(const std::string good, read_file(blob));
    std::string bad = good;
    bad.replace(bad.find("sha256:") + 7, 1, bad[bad.find("sha256:") + 7] == '0' ? "1" : "0");
    ASSERT_THAT(write_file_atomic(blob, bad), IsOk());
    EXPECT_THAT(store_->list(), FailsWith(EBADMSG, digest + ": it is damaged"));
    EXPECT_THAT(tag_image(*store_, "web", "prod"), FailsWith(EBADMSG));
    EXPECT_NE(findings_of(*store_).find("damaged-image"), std::string::npos);
    ASSERT_THAT(write_file_atomic(blob, good), IsOk());
  }
  EXPECT_EQ(findings_of(*store_), "");
}

TEST_F(Maintain, FsckSeesTreesThatAreIncomplete) {
  testing::TarBuilder tar;
  tar.directory("etc").file("etc/passwd", "root").symlink("etc/link", "passwd");
  tar.hard_link("etc/hard", "etc/passwd").directory("var").file("var/.wh.old").file("./a\x1b", "b");
  tar.file("twice", "first").file("twice", "second one").directory("x").file("x/y").file("x", "z");
  STRATA_ASSERT_OK(const Image image, import(*store_, tar.bytes(), "web"));
  EXPECT_EQ(findings_of(*store_), "");
  const auto& tree = image.layers[0].tree;

  std::filesystem::remove(tree / "a\x1b");
  EXPECT_EQ(findings_of(*store_), "damaged-layer " + tree.string() + ": 'a?' is missing\n");
  std::ofstream(tree / "a\x1b") << "longer";
  EXPECT_NE(findings_of(*store_).find("'a?' has 6 bytes instead of 1\n"), std::string::npos);
  std::filesystem::remove_all(tree / "etc");
  std::ofstream(tree / "etc") << "not a directory";
  std::filesystem::remove(tree / "var/old");
  const std::string found = findings_of(*store_);
  EXPECT_NE(found.find(": 'a?' has 6 bytes instead of 1, and 5 more\n"), std::string::npos)
      << found;

  const std::string repaired = findings_of(*store_, true);
  EXPECT_NE(repaired.find("and 5 more; unpacked again (repaired)"), std::string::npos) << repaired;
  EXPECT_EQ(findings_of(*store_), "");
  STRATA_ASSERT_OK(const std::string content, read_file(tree / "etc/hard"));
  EXPECT_EQ(content, "root");
}

TEST_F(Maintain, ADamagedImageCanBeRemoved) {
  const Image image = make("web", "x");
  std::filesystem::remove(store_->blob_path(image.id));
  EXPECT_NE(findings_of(*store_).find("damaged-image"), std::string::npos);
  EXPECT_THAT(prune_images(*store_), FailsWith(EBADMSG));
  EXPECT_THAT(remove_image(*store_, "web", false), IsOk());
  EXPECT_THAT(prune_images(*store_), IsOk());
  EXPECT_EQ(findings_of(*store_), "");
  EXPECT_EQ(layers(), 0U);
}

TEST_F(Maintain, FsckMissesImagesThatContainersNeed) {
  make_container("c0ffee", Image{.id = "sha256:" + std::string(64, 'd')});
  EXPECT_NE(findings_of(*store_).find("missing-image c0ffee"), std::string::npos);
}

}  // namespace
}  // namespace strata::image
