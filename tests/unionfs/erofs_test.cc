#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/random_tree.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/file.h"
#include "unionfs/erofs/crc32c.h"
#include "unionfs/erofs/writer.h"
#include "unionfs/index/cache.h"
#include "unionfs/overlay.h"
#include "unionfs/sys/mount_api.h"

namespace strata::unionfs::erofs {
namespace {

using std::filesystem::path;
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
    return write_image(opened.index, {.layer_roots = {"/data"}});
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

}  // namespace
}  // namespace strata::unionfs::erofs
