#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/random_tree.h"
#include "unionfs/base/file.h"
#include "unionfs/erofs/crc32c.h"
#include "unionfs/erofs/format.h"
#include "unionfs/erofs/writer.h"
#include "unionfs/flat_data.h"
#include "unionfs/index/cache.h"

namespace strata::unionfs::erofs {
namespace {

using std::filesystem::path;
using testing::FailsWith;
using testing::IsOk;
using testing::run;
using testing::TempDir;

class Erofs : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    ASSERT_TRUE(testing::enter_private_namespaces());
  }

  // The image of one layer, `tree`.
  Result<std::vector<std::byte>> image_of(const path& tree) {
    STRATA_TRY(const LayerStack stack, LayerStack::open({tree}));
    STRATA_TRY(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
    return write_image(stack, opened.index, "/data");
  }

  static Result<std::vector<std::byte>> write_image(const LayerStack& stack,
                                                    const index::Index& index,
                                                    const std::string& root) {
    return erofs::write_image(index, {.layer_roots = {root}, .read = [&](const auto& file) {
                                        return read_content(stack, file);
                                      }});
  }

  path save(const std::vector<std::byte>& image) {
    std::ofstream(dir / "image.erofs", std::ios::binary)
        .write(reinterpret_cast<const char*>(image.data()),
               static_cast<std::streamsize>(image.size()));
    return dir / "image.erofs";
  }

  TempDir dir;
};

TEST(Crc32c, AsTheStandardSays) {
  // RFC 3720, B.4: 32 bytes of zeroes.
  const std::vector<std::byte> zeroes(32);
  EXPECT_EQ(~crc32c(~0U, zeroes), 0x8a9136aaU);
}

TEST_F(Erofs, RandomTreesPassFsck) {
  STRATA_NEEDS_PROGRAM("fsck.erofs");
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const path tree = dir / ("tree" + std::to_string(seed));
    ASSERT_THAT(make_dirs(tree), IsOk());
    testing::make_random_tree(tree, seed, {.entries = 300, .is_layer = seed % 2 == 0});
    STRATA_ASSERT_OK(const auto image, image_of(tree));
    const auto done = run({"fsck.erofs", save(image)});
    EXPECT_EQ(done.status, 0) << done.out << done.err;
  }
}

TEST_F(Erofs, TheSameIndexGivesTheSameBytes) {
  const path tree = dir / "tree";
  ASSERT_THAT(make_dirs(tree), IsOk());
  testing::make_random_tree(tree, 7, {.entries = 200});
  STRATA_ASSERT_OK(const auto first, image_of(tree));
  STRATA_ASSERT_OK(const auto second, image_of(tree));
  EXPECT_TRUE(first == second);
}

TEST_F(Erofs, TheSuperBlockNamesTheIndex) {
  dir.write("tree/file", "x");
  STRATA_ASSERT_OK(const LayerStack stack, LayerStack::open({dir / "tree"}));
  STRATA_ASSERT_OK(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
  STRATA_ASSERT_OK(const auto image, write_image(stack, opened.index, ""));
  ASSERT_EQ(image.size() % kBlockSize, 0U);
  SuperBlock super{};
  std::memcpy(&super, image.data() + kSuperOffset, sizeof super);
  EXPECT_EQ(super.inodes, 2U);
  const index::Checksum identity = opened.index.identity();
  EXPECT_EQ(std::memcmp(super.uuid, &identity, sizeof identity), 0);
}

TEST_F(Erofs, NamesWhatItCannotHold) {
  ASSERT_THAT(make_dirs(dir / "tree"), IsOk());
  ASSERT_EQ(::mount("tree", (dir / "tree").c_str(), "tmpfs", 0, nullptr), 0);
  const path file = dir.write("tree/sub/file", "x");
  const std::string value(65536, 'v');
  ASSERT_EQ(::setxattr(file.c_str(), "trusted.big", value.data(), value.size(), 0), 0);
  EXPECT_THAT(image_of(dir / "tree"),
              FailsWith(E2BIG, "sub/file: the extended attribute trusted.big"));
  ::umount2((dir / "tree").c_str(), MNT_DETACH);
}

TEST_F(Erofs, NeedsToKnowWhereLayersStand) {
  EXPECT_THAT(erofs::write_image(index::Index(), {}), FailsWith(EINVAL));
  dir.write("tree/file", std::string(kMaxInlineContent + 1, 'x'));
  STRATA_ASSERT_OK(const LayerStack stack, LayerStack::open({dir / "tree"}));
  STRATA_ASSERT_OK(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
  EXPECT_THAT(erofs::write_image(opened.index, {}), FailsWith(EINVAL));
  EXPECT_THAT(write_image(stack, opened.index, "/" + std::string(4095, 'p')),
              FailsWith(ENAMETOOLONG, "file: "));
}

}  // namespace
}  // namespace strata::unionfs::erofs
