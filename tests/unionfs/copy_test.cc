#include "unionfs/copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "tests/unionfs/stack_test.h"

namespace strata::unionfs {
namespace {

class Copy : public StackTest {
 protected:
  Result<void> copy(const std::vector<path>& top_first, const path& target) {
    STRATA_TRY(const LayerStack stack, LayerStack::open(top_first));
    STRATA_TRY(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
    return copy_tree(stack, opened.index, target);
  }
};

TEST_F(Copy, KernelLayersAsOverlayfsShowsThem) {
  for (uint64_t seed = 21; seed <= 25; ++seed) {
    const path layers = dir / ("stack" + std::to_string(seed));
    ASSERT_THAT(make_dirs(layers), IsOk());
    const auto top_first = make_kernel_layers(layers, 4, seed);
    const path target = dir / ("copy" + std::to_string(seed));
    ASSERT_THAT(copy(top_first, target), IsOk());
    STRATA_ASSERT_OK(const auto stack, LayerStack::open(top_first));
    EXPECT_EQ(differences(overlay_tree(stack), scan_tree(target)), "") << "seed " << seed;
  }
}

TEST_F(Copy, LinksOnlyTheNamesThatAreLeft) {
  const path file = dir.write("lower/file", "x");
  ASSERT_EQ(::link(file.c_str(), (dir / "lower/hidden").c_str()), 0);
  ASSERT_EQ(::link(file.c_str(), (dir / "lower/other").c_str()), 0);
  ASSERT_THAT(make_dirs(dir / "upper"), IsOk());
  ASSERT_EQ(::mknod((dir / "upper/hidden").c_str(), S_IFCHR, 0), 0);
  ASSERT_THAT(copy({dir / "upper", dir / "lower"}, dir / "copy"), IsOk());
  struct stat st {};
  ASSERT_EQ(::stat((dir / "copy/file").c_str(), &st), 0);
  EXPECT_EQ(st.st_nlink, 2U);
}

TEST_F(Copy, RefusesTargetsThatHoldSomething) {
  dir.write("layer/file", "x");
  dir.write("target/mine", "x");
  EXPECT_THAT(copy({dir / "layer"}, dir / "target"), FailsWith(ENOTEMPTY, "target"));
}

TEST_F(Copy, SeesThatALayerWasChanged) {
  dir.write("layer/file", "x");
  STRATA_ASSERT_OK(const LayerStack stack, LayerStack::open({dir / "layer"}));
  STRATA_ASSERT_OK(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
  dir.write("layer/new", "y");
  ASSERT_EQ(::rename((dir / "layer/new").c_str(), (dir / "layer/file").c_str()), 0);
  EXPECT_THAT(copy_tree(stack, opened.index, dir / "copy"), FailsWith(ESTALE, "copy file: "));
}

}  // namespace
}  // namespace strata::unionfs
