// Upper layers that refer to the layers below, as kernels with metacopy=on,redirect_dir=on write
// them, through tars and back.
#include "unionfs/upper_tar.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/unionfs/stack_test.h"
#include "tests/unionfs/tar_builder.h"
#include "tests/unionfs/umoci.h"

namespace strata::unionfs {
namespace {

using testing::StringSink;
using testing::unpack;

class UpperTar : public StackTest {
 protected:
  // Changes `layers` by `change` through a mount that writes metacopies and redirects; gives the
  // tree that it showed at the end.
  template <class Change>
  testing::Tree change_through_kernel(const std::vector<path>& layers, const Upper& upper,
                                      Change change) {
    std::string options = "metacopy=on,redirect_dir=on,index=off,upperdir=" + upper.upper.string() +
                          ",workdir=" + upper.work.string() + ",lowerdir=";
    for (const path& layer : layers)
      options += (&layer == &layers.front() ? "" : ":") + layer.string();
    const path merged = dir / "kernel";
    EXPECT_THAT(make_dirs(merged), IsOk());
    EXPECT_EQ(::mount("overlay", merged.c_str(), "overlay", 0, options.c_str()), 0) << options;
    change(merged);
    const auto tree = scan_tree(merged, kOptions);
    EXPECT_EQ(::umount2(merged.c_str(), MNT_DETACH), 0);
    return tree;
  }

  static Result<std::string> pack(const std::vector<path>& layers, const path& upper) {
    STRATA_TRY(LayerStack stack, LayerStack::open(layers));
    STRATA_TRY(index::OpenedIndex opened, index::open_index(stack, std::nullopt));
    StringSink sink;
    STRATA_CHECK(pack_upper(std::move(stack), std::move(opened.index), upper, sink));
    return sink.bytes();
  }

  // What overlayfs shows of `layers` under the layer in `tar`.
  testing::Tree tree_of(const std::string& tar, std::vector<path> layers) {
    EXPECT_THAT(remove_tree(dir / "unpacked"), IsOk());
    EXPECT_THAT(unpack(tar, dir / "unpacked"), IsOk());
    layers.insert(layers.begin(), dir / "unpacked");
    const auto stack = LayerStack::open(layers);
    const auto mount = mount_overlay(stack.value(), std::nullopt);
    EXPECT_THAT(mount, IsOk());
    return scan_tree(Attached(mount->get(), dir / "merged").path(), kOptions);
  }

  // Tars keep no holes of files with the longest names, and no links to names of lower layers.
  static constexpr testing::ScanOptions kOptions{.holes = false, .links = false};
};

void change_a_little(const path& merged) {
  ASSERT_EQ(::chmod((merged / "plain").c_str(), 0600), 0);
  ASSERT_EQ(::chown((merged / "linked").c_str(), 3, 4), 0);
  ASSERT_EQ(::rename((merged / "d").c_str(), (merged / "moved").c_str()), 0);
  ASSERT_EQ(::chown((merged / "moved/file").c_str(), 7, 8), 0);
  ASSERT_EQ(::rename((merged / "moved/sub").c_str(), (merged / "away").c_str()), 0);
  ASSERT_EQ(::unlink((merged / "away/gone").c_str()), 0);
  ASSERT_EQ(::mkdir((merged / "d").c_str(), 0711), 0);
  ASSERT_THAT(write_file_atomic(merged / "d/new", "new"), IsOk());
  ASSERT_EQ(::rename((merged / "plain").c_str(), (merged / "d/plain").c_str()), 0);
  ASSERT_EQ(::link((merged / "d/plain").c_str(), (merged / "moved/again").c_str()), 0);
}

TEST_F(UpperTar, WhatIsReferredToIsPacked) {
  for (const char* name : {"d/file", "d/sub/deep", "d/sub/gone", "plain", "linked"})
    dir.write("lower/" + std::string(name), "content of " + std::string(name));
  const Upper upper = make_upper();
  const std::vector<path> layers = {dir / "lower"};
  const auto expected = change_through_kernel(layers, upper, change_a_little);
  const auto notes = scan_tree(upper.upper);
  ASSERT_GE(::lgetxattr((upper.upper / "d/plain").c_str(), kTrustedXattrs.metacopy, nullptr, 0), 0);
  ASSERT_GE(::lgetxattr((upper.upper / "moved").c_str(), kTrustedXattrs.redirect, nullptr, 0), 0);
  STRATA_ASSERT_OK(const std::string tar, pack(layers, upper.upper));
  EXPECT_EQ(differences(expected, tree_of(tar, layers)), "");
  struct stat one {};
  struct stat two {};
  ASSERT_EQ(::lstat((dir / "unpacked/d/plain").c_str(), &one), 0);
  ASSERT_EQ(::lstat((dir / "unpacked/moved/again").c_str(), &two), 0);
  EXPECT_EQ(one.st_ino, two.st_ino);
  EXPECT_EQ(differences(notes, scan_tree(upper.upper)), "") << "the upper layer was changed";
}

TEST_F(UpperTar, RandomUppersOnKernelLayers) {
  for (uint64_t seed = 43; seed <= 46; ++seed) {
    const path below = dir / ("stack" + std::to_string(seed));
    ASSERT_THAT(make_dirs(below), IsOk());
    const auto layers = make_kernel_layers(below, 3, seed);
    const Upper upper = make_upper();
    const auto expected = change_through_kernel(
        layers, upper, [&](const path& merged) { testing::change_tree(merged, seed); });
    STRATA_ASSERT_OK(const std::string tar, pack(layers, upper.upper));
    EXPECT_EQ(differences(expected, tree_of(tar, layers)), "") << "seed " << seed;
  }
}

// Two uppers of this kind one upon the other: the first one is a layer then.
TEST_F(UpperTar, LayersBelowMayReferToOthers) {
  for (const char* name : {"d/file", "d/sub/deep", "d/sub/gone", "plain", "linked"})
    dir.write("lower/" + std::string(name), "content of " + std::string(name));
  const Upper first = make_upper("first"), second = make_upper("second");
  (void)change_through_kernel({dir / "lower"}, first, change_a_little);
  const std::vector<path> layers = {first.upper, dir / "lower"};
  const auto expected = change_through_kernel(layers, second, [](const path& merged) {
    ASSERT_EQ(::chmod((merged / "d/plain").c_str(), 0640), 0);
    ASSERT_EQ(::rename((merged / "moved").c_str(), (merged / "d/moved").c_str()), 0);
    ASSERT_EQ(::rename((merged / "away").c_str(), (merged / "d/moved/away").c_str()), 0);
  });
  STRATA_ASSERT_OK(const std::string tar, pack(layers, second.upper));
  // The tar of the first, too: then nothing refers to anything.
  STRATA_ASSERT_OK(const std::string first_tar, pack({dir / "lower"}, first.upper));
  ASSERT_THAT(unpack(first_tar, dir / "first-whole"), IsOk());
  EXPECT_EQ(differences(expected, tree_of(tar, {dir / "first-whole", dir / "lower"})), "");
}

TEST_F(UpperTar, WithoutNotesItIsTheTarOfTheLayer) {
  const auto layers = make_kernel_layers(dir.path(), 3, 7);
  STRATA_ASSERT_OK(const std::string tar, pack({layers[1], layers[2]}, layers[0]));
  EXPECT_TRUE(tar == testing::pack(layers[0]));
}

// umoci applies layers one upon the other into one directory.
TEST_F(UpperTar, UmociSeesTheSame) {
  STRATA_NEEDS_PROGRAM("umoci");
  for (const char* name : {"d/file", "d/sub/deep", "d/sub/gone", "plain", "linked"})
    dir.write("lower/" + std::string(name), "content of " + std::string(name));
  const Upper upper = make_upper();
  const auto expected = change_through_kernel({dir / "lower"}, upper, change_a_little);
  STRATA_ASSERT_OK(const std::string tar, pack({dir / "lower"}, upper.upper));
  std::ofstream(dir / "lower.tar", std::ios::binary) << testing::pack(dir / "lower");
  std::ofstream(dir / "upper.tar", std::ios::binary) << tar;
  ASSERT_NO_FATAL_FAILURE(unpack_by_umoci(dir.path(), {dir / "lower.tar", dir / "upper.tar"}));
  EXPECT_EQ(differences(expected, scan_tree(dir / "umoci", kOptions)), "");
}

TEST_F(UpperTar, AMetacopyOfNothingIsRefused) {
  dir.write("lower/other", "x");
  const path file = dir.write("upper/file", "");
  ASSERT_EQ(::setxattr(file.c_str(), kTrustedXattrs.metacopy, "", 0, 0), 0);
  EXPECT_THAT(pack({dir / "lower"}, dir / "upper"), FailsWith(ESTALE, "'file'"));
}

}  // namespace
}  // namespace strata::unionfs
