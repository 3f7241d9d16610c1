#include "unionfs/flat.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/unionfs/stack_test.h"
#include "unionfs/erofs/writer.h"
#include "unionfs/flat_mount.h"

namespace strata::unionfs {
namespace {

class Flat : public FlatStackTest {
 protected:
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
    STRATA_ASSERT_OK(const auto flat, mount(top_first));
    const Attached actual(flat.get(), dir / "actual");
    EXPECT_EQ(differences(overlay_tree(stack), scan_tree(actual.path())), "");
    expect_sound(find_flat(stack, dir / "cache"));
  }

  // As the programs of others see it.
  static void expect_sound(const std::optional<FlatImage>& image) {
    ASSERT_TRUE(image);
    if (testing::lacks_program("fsck.erofs")) return;
    const auto done = run({"fsck.erofs", image->path});
    EXPECT_EQ(done.status, 0) << done.out << done.err;
  }

  // What no image has inline.
  static std::string large(const std::string& content) {
    return content + std::string(erofs::kMaxInlineContent, '.');
  }

  // Layers with a file "n<i>" each and a file "top".
  std::vector<path> small_layers(int count, const std::string& parent = "layers") {
    std::vector<path> top_first;
    for (int i = count - 1; i >= 0; --i) {
      const std::string name = parent + "/" + std::to_string(i);
      dir.write(name + "/n" + std::to_string(i), large(std::to_string(i)));
      dir.write(name + "/top", large(std::to_string(i)));
      top_first.push_back(dir / name);
    }
    return top_first;
  }
};

TEST_F(Flat, KernelLayersAsOverlayfsShowsThem) {
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const path layers = dir / ("stack" + std::to_string(seed));
    ASSERT_THAT(make_dirs(layers), IsOk());
    expect_as_overlayfs(make_kernel_layers(layers, static_cast<int>(2 + seed), seed));
  }
}

// What stretches the format: directories of many blocks, targets that don't fit an inode's block,
// large and many extended attributes, sizes beyond one chunk.
TEST_F(Flat, AwkwardTrees) {
  const path layer = dir / "layer";
  for (int i = 0; i < 3000; ++i)
    dir.write("layer/wide/" + std::to_string(i) + std::string(static_cast<size_t>(i % 200), 'n'),
              "");
  for (const size_t length : {1000, 2100, 3970, 4031, 4033, 4095}) {
    const path link = layer / ("link" + std::to_string(length));
    ASSERT_EQ(::symlink(std::string(length, 't').c_str(), link.c_str()), 0);
    ASSERT_EQ(::lsetxattr(link.c_str(), "trusted.note", "x", 1, 0), 0);
  }
  for (int i = 0; i < 40; ++i) {
    const std::string name = "user." + std::string(static_cast<size_t>(i), 'n') + std::to_string(i);
    ASSERT_EQ(::setxattr(layer.c_str(), name.c_str(), name.data(), static_cast<size_t>(i), 0), 0);
  }
  const path odd = dir.write("layer/odd", "odd");
  ASSERT_EQ(::setxattr(odd.c_str(), "user.big", std::string(3500, 'v').data(), 3500, 0), 0);
  ASSERT_EQ(::setxattr(odd.c_str(), "trusted.overlay.overlay.note", "content", 7, 0), 0);
  const timespec before_1970[2] = {{.tv_nsec = UTIME_OMIT},
                                   {.tv_sec = -77, .tv_nsec = 999'999'999}};
  ASSERT_EQ(::utimensat(AT_FDCWD, odd.c_str(), before_1970, 0), 0);
  ASSERT_EQ(::truncate(dir.write("layer/huge", "begin").c_str(), off_t{9} << 40), 0);
  ASSERT_EQ(::mknod((layer / "device").c_str(), S_IFBLK | 0640, makedev(4095, 1'048'575)), 0);
  ASSERT_EQ(::mknod((layer / "socket").c_str(), S_IFSOCK | 0600, 0), 0);
  const path empty = dir / "empty";
  ASSERT_THAT(make_dirs(empty), IsOk());
  expect_as_overlayfs({empty, layer});
}

// Content in the image and in the data layer, at the sizes where one becomes the other.
TEST_F(Flat, ContentOfAllSizes) {
  constexpr auto kMost = static_cast<int>(erofs::kMaxInlineContent);
  for (const int size : {0, 1, 3, 511, 512, kMost - 1, kMost, kMost + 1, 4095, 4096, 4097, 9000}) {
    const path file = dir.write("layer/" + std::to_string(size), std::string(size_t(size), 'c'));
    for (int i = 0; i < size % 7; ++i)
      ASSERT_EQ(::setxattr(file.c_str(), ("user." + std::to_string(i)).c_str(),
                           std::string(300, 'v').data(), 300, 0),
                0);
  }
  ASSERT_EQ(::link((dir / "layer/512").c_str(), (dir / "layer/link").c_str()), 0);
  ASSERT_THAT(make_dirs(dir / "empty"), IsOk());
  expect_as_overlayfs({dir / "empty", dir / "layer"});
  STRATA_ASSERT_OK(const auto flat, mount({dir / "layer"}, make_upper()));
  const Attached merged(flat.get(), dir / "merged");
  STRATA_ASSERT_OK(const auto fd, open_file(merged / "512", O_WRONLY | O_APPEND));
  ASSERT_EQ(::write(fd.get(), "+", 1), 1);
  EXPECT_EQ(merged.read("512"), std::string(512, 'c') + "+");
}

TEST_F(Flat, SmallFilesThatChangedAreSeen) {
  dir.write("layer/file", "content");
  STRATA_ASSERT_OK(const auto stack, LayerStack::open({dir / "layer"}));
  STRATA_ASSERT_OK(const index::OpenedIndex opened, index::open_index(stack, std::nullopt));
  dir.write("layer/file", "less");
  EXPECT_THAT(prepare_flat(stack, opened.index, dir / "cache"), FailsWith(ESTALE, "file"));
}

TEST_F(Flat, WritesGoToTheUpper) {
  const auto layers = small_layers(3);
  ASSERT_THAT(make_dirs(layers[1] / "sub"), IsOk());
  const Upper upper = make_upper();
  STRATA_ASSERT_OK(const auto flat, mount(layers, upper));
  {
    const Attached merged(flat.get(), dir / "merged");
    EXPECT_EQ(merged.read("top"), large("2"));
    STRATA_ASSERT_OK(const auto fd, open_file(merged / "n0", O_WRONLY | O_APPEND));
    ASSERT_EQ(::write(fd.get(), "+", 1), 1);
    EXPECT_EQ(merged.read("n0"), large("0") + "+");
    ASSERT_EQ(::chmod((merged / "n1").c_str(), 0600), 0);
    ASSERT_EQ(::unlink((merged / "n2").c_str()), 0);
    ASSERT_EQ(::rename((merged / "top").c_str(), (merged / "moved").c_str()), 0);
    EXPECT_EQ(::rename((merged / "sub").c_str(), (merged / "sub2").c_str()), -1);
    EXPECT_EQ(errno, EXDEV);
    ASSERT_THAT(write_file_atomic(merged / "sub/new", "x"), IsOk());
    EXPECT_EQ(merged.read("moved"), large("2"));
  }
  // Whole files: the upper means the same wherever it is read.
  EXPECT_EQ(*read_file(upper.upper / "n1"), large("1"));
  EXPECT_EQ(::lgetxattr((upper.upper / "n1").c_str(), "trusted.overlay.metacopy", nullptr, 0), -1);
  EXPECT_EQ(*read_file(layers[2] / "n0"), large("0"));
  const auto stacked = [&] {
    auto all = layers;
    all.insert(all.begin(), upper.upper);
    return all;
  }();
  expect_as_overlayfs(stacked);
}

TEST_F(Flat, UpperMayLieBesideTheLayers) {
  const auto layers = small_layers(2);
  STRATA_ASSERT_OK(const auto flat, mount(layers, make_upper("layers/upper")));
  const Attached merged(flat.get(), dir / "merged");
  EXPECT_EQ(merged.read("top"), large("1"));
  ASSERT_THAT(write_file_atomic(merged / "top", "new"), IsOk());
  EXPECT_EQ(merged.read("top"), "new");
}

TEST_F(Flat, HundredsOfLayers) {
  const auto all = small_layers(600);
  for (const int layers : {100, 600}) {
    STRATA_ASSERT_OK(const auto flat, mount({all.end() - layers, all.end()}, make_upper()));
    const Attached merged(flat.get(), dir / "merged");
    EXPECT_EQ(merged.read("top"), large(std::to_string(layers - 1)));
    EXPECT_EQ(merged.read("n0"), large("0"));
    EXPECT_EQ(merged.read("n" + std::to_string(layers - 1)), large(std::to_string(layers - 1)));
  }
}

TEST_F(Flat, ImagesAreKept) {
  const auto layers = small_layers(3);
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  EXPECT_FALSE(find_flat(stack, dir / "cache"));
  STRATA_ASSERT_OK(const FlatImage first, prepare(stack));
  EXPECT_TRUE(first.is_new);
  STRATA_ASSERT_OK(const FlatImage second, prepare(stack));
  EXPECT_FALSE(second.is_new);
  EXPECT_TRUE(find_flat(stack, dir / "cache"));
  EXPECT_TRUE(find_flat(layers, dir / "cache"));
  EXPECT_EQ(second.data, (std::vector<path>{dir / "layers"}));
  // Another stack has another image.
  STRATA_ASSERT_OK(const auto lower, LayerStack::open({layers[1], layers[2]}));
  EXPECT_FALSE(find_flat(lower, dir / "cache"));
}

TEST_F(Flat, DamagedImagesAreWrittenAnew) {
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(small_layers(3)));
  STRATA_ASSERT_OK(const FlatImage image, prepare(stack));
  STRATA_ASSERT_OK(const std::string good, read_file(image.path));
  std::string header = good, inode = good;
  header[9] ^= 1;
  inode[4200] ^= 1;
  for (const std::string& bad : {header, inode, good.substr(0, 4096), good + "x", std::string(),
                                 std::string("foreign"), std::string(5000, '\0')}) {
    ASSERT_THAT(write_file_atomic(image.path, bad, Durability::kAtomic), IsOk());
    STRATA_ASSERT_OK(const FlatImage again, prepare(stack));
    EXPECT_TRUE(again.is_new);
    EXPECT_TRUE(*read_file(image.path) == good);
  }
}

TEST_F(Flat, AKnownImageIsReadAgainOnceItWasWrittenTo) {
  const auto layers = small_layers(3);
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  STRATA_ASSERT_OK(const FlatImage image, prepare(stack));
  ASSERT_TRUE(find_flat(layers, dir / "cache"));
  ASSERT_TRUE(find_flat(layers, dir / "cache")) << "by its note";
  std::fstream file(image.path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4200);
  file.put('?');
  file.close();
  EXPECT_FALSE(find_flat(layers, dir / "cache"));
}

TEST_F(Flat, LayersMadeAnewMakeImagesStale) {
  const auto layers = small_layers(2);
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  STRATA_ASSERT_OK(const FlatImage image, prepare(stack));
  ASSERT_THAT(remove_tree(layers[0]), IsOk());
  dir.write("layers/1/top", large("anew"));
  STRATA_ASSERT_OK(const auto anew, LayerStack::open(layers));
  EXPECT_FALSE(find_flat(anew, dir / "cache"));
  STRATA_ASSERT_OK(const auto flat, mount(layers));
  const Attached merged(flat.get(), dir / "merged");
  EXPECT_EQ(merged.read("top"), large("anew"));
}

TEST_F(Flat, LayersMayMove) {
  const auto layers = small_layers(2);
  ASSERT_THAT(mount(layers), IsOk());
  std::filesystem::rename(dir / "layers", dir / "layers.moved");
  std::filesystem::create_directory_symlink(dir / "layers.moved", dir / "layers");
  STRATA_ASSERT_OK(const auto flat, mount(layers));
  const Attached merged(flat.get(), dir / "merged");
  EXPECT_EQ(merged.read("top"), large("1"));
}

// Layers on several mounts are data layers themselves.
TEST_F(Flat, LayersOnSeveralMounts) {
  ASSERT_THAT(make_dirs(dir / "other"), IsOk());
  ASSERT_EQ(::mount("layers", (dir / "other").c_str(), "tmpfs", 0, nullptr), 0);
  auto layers = small_layers(3);
  layers.insert(layers.begin(), dir / "other/layer");
  dir.write("other/layer/top", "other");
  dir.write("other/layer/only", "here");
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  STRATA_ASSERT_OK(const FlatImage image, prepare(stack));
  EXPECT_EQ(image.data, layers);
  EXPECT_TRUE(find_flat(layers, dir / "cache"));
  expect_as_overlayfs(layers);
}

TEST_F(Flat, RefusesWhatWouldBeMistaken) {
  ASSERT_THAT(make_dirs(dir / "other"), IsOk());
  ASSERT_EQ(::mount("layers", (dir / "other").c_str(), "tmpfs", 0, nullptr), 0);
  // "copy" has the content of the lower "file", which the layer's own "file" hides.
  const auto make = [&](const std::string& layer) {
    dir.write(layer + "/file", large("not it"));
    const path copy = dir.write(layer + "/copy", "");
    ASSERT_EQ(::truncate(copy.c_str(), static_cast<off_t>(large("it").size())), 0);
    ASSERT_EQ(::setxattr(copy.c_str(), "trusted.overlay.metacopy", "", 0, 0), 0);
    ASSERT_EQ(::setxattr(copy.c_str(), "trusted.overlay.redirect", "/file", 5, 0), 0);
  };
  make("layers/upper");
  make("other/upper");
  dir.write("layers/lower/file", large("it"));
  STRATA_ASSERT_OK(const auto apart, LayerStack::open({dir / "other/upper", dir / "layers/lower"}));
  EXPECT_THAT(prepare(apart), FailsWith(EXDEV, "file would be mistaken for that in"));
  STRATA_ASSERT_OK(const auto flat, mount({dir / "layers/upper", dir / "layers/lower"}));
  const Attached merged(flat.get(), dir / "merged");
  EXPECT_EQ(merged.read("copy"), large("it"));
  EXPECT_EQ(merged.read("file"), large("not it"));
}

// What older kernels get works on new ones, too.
TEST_F(Flat, WaysForOlderKernels) {
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(small_layers(2)));
  STRATA_ASSERT_OK(const FlatImage image, prepare(stack));
  for (const FlatMountWay way :
       {FlatMountWay{.metacopy = true}, FlatMountWay{.metacopy = true, .attached = true}}) {
    STRATA_ASSERT_OK(const MountedImage mounted, mount_image(image));
    STRATA_ASSERT_OK(const auto flat,
                     mount_flat_in_way(mounted.mount.get(), image, make_upper(), {}, way));
    const Attached merged(flat.get(), dir / "merged");
    EXPECT_EQ(merged.read("top"), large("1"));
  }
  // The image's directory served as a mount point that nobody saw.
  EXPECT_TRUE(find_flat(stack, dir / "cache"));
}

TEST_F(Flat, LoopDevicesServeWhereFilesDoNot) {
  if (!std::filesystem::exists("/dev/loop-control")) GTEST_SKIP() << "no loop devices here";
  ASSERT_THAT(make_dirs(dir / "other"), IsOk());
  ASSERT_EQ(::mount("cache", (dir / "other").c_str(), "tmpfs", 0, nullptr), 0);
  STRATA_ASSERT_OK(const auto support, flat_support(dir / "other"));
  EXPECT_EQ(support, FlatBacking::kLoopDevice);
}

TEST_F(Flat, TheImagesMountMayBeClosedLater) {
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(small_layers(2)));
  STRATA_ASSERT_OK(const FlatImage image, prepare(stack));
  UniqueFd later;
  STRATA_ASSERT_OK(const auto flat, mount_flat(image, std::nullopt, {}, &later));
  EXPECT_TRUE(later);
  const Attached merged(flat.get(), dir / "merged");
  later.reset();
  EXPECT_EQ(merged.read("top"), large("1"));
}

TEST_F(Flat, ErrorsCarryTheKernelsWords) {
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(small_layers(2)));
  STRATA_ASSERT_OK(const FlatImage image, prepare(stack));
  const Upper upper = make_upper();
  EXPECT_THAT(mount_flat(image, Upper{dir.write("file", ""), upper.work}),
              FailsWith(EINVAL, "is not a directory"));
  EXPECT_THAT(mount_flat(image, Upper{upper.upper, dir / "none"}), FailsWith(ENOENT, "workdir"));
}

}  // namespace
}  // namespace strata::unionfs
