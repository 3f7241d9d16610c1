#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "runtime/image/ingest.h"
#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

using testing::FailsWith;
using Strings = std::vector<std::string>;

class Commit : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_ASSERT_OK(Store opened, Store::open(dir_ / "store"));
    store_.emplace(std::move(opened));
    STRATA_ASSERT_OK(base_, testing::import(*store_, testing::small_tar("gone", "x"), "base",
                                            {.authoring = {.changes = {"ENV A=1"}}}));
    upper_ = dir_ / "upper";
    std::filesystem::create_directories(upper_ / "opaque");
  }

  testing::TempDir dir_;
  std::optional<Store> store_;
  Image base_;
  std::filesystem::path upper_;
};

TEST_F(Commit, MakesALayerOfWhatAContainerWrote) {
  std::ofstream(upper_ / "new") << "written";
  ASSERT_EQ(::mknod((upper_ / "gone").c_str(), S_IFCHR, makedev(0, 0)), 0);
  ASSERT_EQ(::setxattr((upper_ / "opaque").c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  STRATA_ASSERT_OK(const Image image,
                   commit_upper(*store_, upper_, base_.id, "web",
                                {.authoring = {.message = "why", .changes = {"CMD [\"/new\"]"}},
                                 .created_by = "/bin/sh -c x"}));
  ASSERT_EQ(image.layers.size(), 2U);
  EXPECT_EQ(image.layers[0].diff_id, base_.layers[0].diff_id);
  EXPECT_EQ(image.config.env, Strings{"A=1"});
  EXPECT_EQ(image.config.cmd, Strings{"/new"});
  ASSERT_EQ(image.config.history.size(), 2U);
  EXPECT_EQ(image.config.history[1].created_by, "/bin/sh -c x");
  EXPECT_EQ(image.config.history[1].comment, "why");
  EXPECT_EQ(image.layers[1].size, 7U);
  // Overlayfs's own marks are not to be told from those that it made: the layer is the upper.
  const testing::ScanOptions options{.whiteout_attributes = false};
  EXPECT_EQ(testing::differences(testing::scan_tree(upper_, options),
                                 testing::scan_tree(image.layers[1].tree, options)),
            "");
  EXPECT_EQ(testing::findings_of(*store_), "");
}

TEST_F(Commit, OfTheSameTreeIsTheSameLayer) {
  std::ofstream(upper_ / "new") << "written";
  STRATA_ASSERT_OK(const Image one, commit_upper(*store_, upper_, base_.id, "one"));
  STRATA_ASSERT_OK(const Image two, commit_upper(*store_, upper_, base_.id, "two"));
  EXPECT_EQ(one.layers[1].diff_id, two.layers[1].diff_id);
  EXPECT_EQ(one.layers[1].blob.digest, two.layers[1].blob.digest);
}

// What a kernel with metacopy=on and redirect_dir=on leaves in an upper layer.
TEST_F(Commit, FollowsWhatTheUpperRefersTo) {
  std::ofstream(upper_ / "gone");
  std::filesystem::resize_file(upper_ / "gone", 1);
  ASSERT_EQ(::setxattr((upper_ / "gone").c_str(), "trusted.overlay.metacopy", "", 0, 0), 0);
  ASSERT_EQ(::chmod((upper_ / "gone").c_str(), 0600), 0);
  STRATA_ASSERT_OK(const Image image, commit_upper(*store_, upper_, base_.id, "web"));
  EXPECT_EQ(read_file(image.layers[1].tree / "gone").value_or("cannot be read"), "x");
  EXPECT_EQ(read_file(upper_ / "gone").value_or("cannot be read"), std::string(1, '\0'));
}

TEST_F(Commit, FailsWithoutTraces) {
  const auto before = testing::store_content(*store_);
  EXPECT_THAT(commit_upper(*store_, dir_ / "absent", base_.id, "web"), FailsWith(ENOENT));
  EXPECT_THAT(commit_upper(*store_, upper_, "absent", "web"), FailsWith(ENOENT));
  EXPECT_THAT(commit_upper(*store_, upper_, base_.id, "Web"), FailsWith(EINVAL));
  EXPECT_EQ(testing::store_content(*store_), before);
}

}  // namespace
}  // namespace strata::image
