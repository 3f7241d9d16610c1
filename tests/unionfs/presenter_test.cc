#include "unionfs/presenter.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/unionfs/stack_test.h"

namespace strata::unionfs {
namespace {

constexpr PresenterKind kKinds[] = {PresenterKind::kOverlay, PresenterKind::kFlat,
                                    PresenterKind::kCopy};

class Presenters : public FlatStackTest {
 protected:
  [[nodiscard]] PresentOptions options() const { return {.cache = dir / "cache"}; }
};

TEST(PresenterNames, ThereAndBack) {
  for (const PresenterKind kind : kKinds) EXPECT_EQ(parse_presenter(presenter_name(kind)), kind);
  EXPECT_EQ(parse_presenter("fuse"), std::nullopt);
}

TEST(PresenterChoices, SayWhy) {
  const Result<FlatBacking> can = FlatBacking::kFile;
  const Result<FlatBacking> cannot = fail(ENODEV, "this kernel has no EROFS");
  EXPECT_EQ(choose_presenter(1, can).kind, PresenterKind::kOverlay);
  EXPECT_EQ(choose_presenter(100, can).kind, PresenterKind::kFlat);
  const auto overlay = choose_presenter(100, cannot);
  EXPECT_EQ(overlay.kind, PresenterKind::kOverlay);
  EXPECT_THAT(overlay.reason, ::testing::HasSubstr("no EROFS"));
  EXPECT_EQ(choose_presenter(501, can).kind, PresenterKind::kFlat);
  EXPECT_EQ(choose_presenter(501, cannot).kind, PresenterKind::kCopy);
}

// The whole of a real image under layers that change it.
TEST_F(Presenters, ShowDebianTheSame) {
  STRATA_NEEDS_DEBIAN();
  ASSERT_THAT(make_dirs(dir / "debian"), IsOk());
  const auto unpacked = run({"tar", "-x", "-p", "--numeric-owner", "--xattrs", "--xattrs-include=*",
                             "-C", dir / "debian", "-f", testing::debian_tar()});
  ASSERT_EQ(unpacked.status, 0) << unpacked.err;
  const auto layers = make_kernel_layers(dir.path(), 5, 77, dir / "debian");
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  STRATA_ASSERT_OK(const auto overlay,
                   present(PresenterKind::kOverlay, stack, std::nullopt, options()));
  const Attached expected(overlay.get(), dir / "expected");
  const auto tree = scan_tree(expected.path());
  EXPECT_GT(tree.size(), 1000U);
  for (const PresenterKind kind : {PresenterKind::kFlat, PresenterKind::kCopy}) {
    STRATA_ASSERT_OK(const auto mount, present(kind, stack, std::nullopt, options()));
    const Attached actual(mount.get(), dir / "actual");
    EXPECT_EQ(differences(tree, scan_tree(actual.path())), "") << presenter_name(kind);
  }
}

TEST_F(Presenters, TakeAnUpper) {
  dir.write("layers/0/lower", "lower");
  dir.write("layers/1/top", "top");
  STRATA_ASSERT_OK(const auto stack, LayerStack::open({dir / "layers/1", dir / "layers/0"}));
  for (const PresenterKind kind : kKinds) {
    const Upper upper = make_upper();
    for (const char* const content : {"first", "second"}) {
      STRATA_ASSERT_OK(const auto mount, present(kind, stack, upper, options()));
      const Attached merged(mount.get(), dir / "merged");
      if (std::string_view(content) == "second") {
        EXPECT_EQ(merged.read("new"), "first");
      }
      EXPECT_EQ(merged.read("top"), "top");
      ASSERT_THAT(write_file_atomic(merged / "new", content), IsOk());
      ::unlink((merged / "lower").c_str());
      EXPECT_NE(::access((merged / "lower").c_str(), F_OK), 0);
    }
    EXPECT_EQ(*read_file(upper.upper / "new"), "second") << presenter_name(kind);
  }
  EXPECT_EQ(*read_file(dir / "layers/0/lower"), "lower");
}

// A container may be started by one presenter today and by the other tomorrow.
TEST_F(Presenters, OverlayAndFlatTakeEachOthersUppers) {
  const auto layers = make_kernel_layers(dir.path(), 3, 5);
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  const Upper upper = make_upper();
  const std::vector<PresenterKind> turns = {PresenterKind::kFlat, PresenterKind::kOverlay,
                                            PresenterKind::kFlat};
  testing::Tree before;
  for (const PresenterKind kind : turns) {
    STRATA_ASSERT_OK(const auto mount, present(kind, stack, upper, options()));
    const Attached merged(mount.get(), dir / "merged");
    if (!before.empty()) {
      EXPECT_EQ(differences(before, scan_tree(merged.path())), "") << presenter_name(kind);
    }
    testing::change_tree(merged.path(), 17);
    before = scan_tree(merged.path());
  }
}

TEST_F(Presenters, AreReadOnlyWithoutAnUpper) {
  dir.write("layers/0/lower", "lower");
  STRATA_ASSERT_OK(const auto stack, LayerStack::open({dir / "layers/0"}));
  for (const PresenterKind kind : kKinds) {
    for (int time = 0; time < 2; ++time) {  // made, and found
      STRATA_ASSERT_OK(const auto mount, present(kind, stack, std::nullopt, options()));
      const Attached merged(mount.get(), dir / "merged");
      EXPECT_EQ(merged.read("lower"), "lower");
      EXPECT_THAT(write_file_atomic(merged / "new", "x"), FailsWith(EROFS)) << presenter_name(kind);
    }
  }
}

}  // namespace
}  // namespace strata::unionfs
