#include "unionfs/flat.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/kernel_layers.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/file.h"
#include "unionfs/flat_mount.h"
#include "unionfs/index/cache.h"

namespace strata::unionfs {
namespace {

using std::filesystem::path;
using testing::Attached;
using testing::differences;
using testing::FailsWith;
using testing::IsOk;
using testing::make_kernel_layers;
using testing::run;
using testing::scan_tree;
using testing::TempDir;

class Flat : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    ASSERT_TRUE(testing::enter_private_namespaces());
    if (const auto support = flat_support(dir.path()); !support)
      GTEST_SKIP() << support.error().what;
  }
  void TearDown() override { ::umount2((dir / "other").c_str(), MNT_DETACH); }

  Result<FlatImage> prepare(const LayerStack& stack) {
    STRATA_TRY(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
    return prepare_flat(stack, opened.index, dir / "cache");
  }

  Result<UniqueFd> mount(const std::vector<path>& top_first,
                         const std::optional<Upper>& upper = {}) {
    STRATA_TRY(const LayerStack stack, LayerStack::open(top_first));
    STRATA_TRY(const FlatImage image, prepare(stack));
    return mount_flat(image, upper);
  }

  // The trees that overlayfs and we make of the same layers.
  void expect_as_overlayfs(const std::vector<path>& top_first) {
    STRATA_ASSERT_OK(const auto stack, LayerStack::open(top_first));
    STRATA_ASSERT_OK(const auto overlay, mount_overlay(stack, std::nullopt));
    STRATA_ASSERT_OK(const auto flat, mount(top_first));
    const Attached expected(overlay.get(), dir / "expected"), actual(flat.get(), dir / "actual");
    EXPECT_EQ(differences(scan_tree(expected.path()), scan_tree(actual.path())), "");
  }

  // Layers with a file "n<i>" each and a file "top".
  std::vector<path> small_layers(int count, const std::string& parent = "layers") {
    std::vector<path> top_first;
    for (int i = count - 1; i >= 0; --i) {
      const std::string name = parent + "/" + std::to_string(i);
      dir.write(name + "/n" + std::to_string(i), std::to_string(i));
      dir.write(name + "/top", std::to_string(i));
      top_first.push_back(dir / name);
    }
    return top_first;
  }

  Upper make_upper(const std::string& name = "upper") {
    Upper upper{dir / name / "u", dir / name / "w"};
    EXPECT_THAT(make_dirs(upper.upper), IsOk());
    EXPECT_THAT(make_dirs(upper.work), IsOk());
    return upper;
  }

  TempDir dir;
};

TEST_F(Flat, KernelLayersAsOverlayfsShowsThem) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const path layers = dir / ("stack" + std::to_string(seed));
    ASSERT_THAT(make_dirs(layers), IsOk());
    expect_as_overlayfs(make_kernel_layers(layers, static_cast<int>(2 + seed), seed));
  }
}

}  // namespace
}  // namespace strata::unionfs
