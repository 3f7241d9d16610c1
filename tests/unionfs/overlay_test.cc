#include "unionfs/overlay.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/overlay_legacy.h"

namespace strata::unionfs {
namespace {

using std::filesystem::path;
using testing::FailsWith;
using testing::IsOk;
using testing::TempDir;

// A mount for one test at `target`.
class Attached {
 public:
  Attached(int mount_fd, path target) : target_(std::move(target)) {
    EXPECT_THAT(make_dirs(target_), IsOk());
    EXPECT_THAT(attach_mount(mount_fd, target_), IsOk());
  }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached() { EXPECT_EQ(::umount2(target_.c_str(), MNT_DETACH), 0); }

  [[nodiscard]] std::string read(const std::string& name) const {
    return read_file(target_ / name).value_or("<" + name + " cannot be read>");
  }
  [[nodiscard]] std::set<std::string> list(const std::string& name = ".") const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(target_ / name))
      names.insert(entry.path().filename());
    return names;
  }
  [[nodiscard]] path operator/(const std::string& name) const { return target_ / name; }

 private:
  path target_;
};

class Overlay : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    ASSERT_TRUE(testing::enter_private_namespaces());
  }

  // `count` layers, each with its own file "n<i>" and a file "top" that the top one wins. Returned
  // top first. `padding` makes every path longer.
  std::vector<path> make_layers(int count, const std::string& padding = "") {
    std::vector<path> top_first;
    for (int i = count - 1; i >= 0; --i) {
      const std::string name = padding + "layer" + std::to_string(i);
      dir.write(name + "/n" + std::to_string(i), std::to_string(i));
      dir.write(name + "/top", std::to_string(i));
      top_first.push_back(dir / name);
    }
    return top_first;
  }

  // The same in memory: hundreds of directories are slow to make and to remove on a disk.
  std::vector<path> make_many_layers(int count) {
    const path many = dir / "many";
    EXPECT_THAT(make_dirs(many), IsOk());
    EXPECT_EQ(::mount("layers", many.c_str(), "tmpfs", 0, nullptr), 0);
    return make_layers(count, "many/" + std::string(200, 'd') + "/" + std::string(200, 'e') + "/");
  }
  void TearDown() override { ::umount2((dir / "many").c_str(), MNT_DETACH); }

  Upper make_upper() {
    Upper upper{dir / "upper", dir / "work"};
    EXPECT_THAT(make_dirs(upper.upper), IsOk());
    EXPECT_THAT(make_dirs(upper.work), IsOk());
    return upper;
  }

  TempDir dir;
};

TEST_F(Overlay, MergesLayersTopFirst) {
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(make_layers(3)));
  STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, std::nullopt));
  const Attached merged(mount.get(), dir / "merged");
  EXPECT_EQ(merged.read("top"), "2");
  EXPECT_EQ(merged.list(), (std::set<std::string>{"n0", "n1", "n2", "top"}));
}

TEST_F(Overlay, ReadOnlyWithoutUpper) {
  for (const int layers : {1, 2}) {
    STRATA_ASSERT_OK(const auto stack, LayerStack::open(make_layers(layers)));
    STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, std::nullopt));
    const Attached merged(mount.get(), dir / "merged");
    EXPECT_EQ(merged.read("n0"), "0");
    EXPECT_THAT(write_file_atomic(merged / "new", "x"), FailsWith(EROFS));
  }
}

TEST_F(Overlay, WritesGoToTheUpper) {
  const Upper upper = make_upper();
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(make_layers(2)));
  STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, upper, {.is_volatile = true}));
  const Attached merged(mount.get(), dir / "merged");
  ASSERT_THAT(write_file_atomic(merged / "new", "x"), IsOk());
  ASSERT_EQ(::unlink((merged / "n0").c_str()), 0);
  EXPECT_EQ(*read_file(upper.upper / "new"), "x");
  struct stat st {};
  ASSERT_EQ(::lstat((upper.upper / "n0").c_str(), &st), 0);
  EXPECT_TRUE(S_ISCHR(st.st_mode));
  EXPECT_EQ(st.st_rdev, makedev(0, 0));
  // The upper means the same wherever it is read: nothing of overlayfs's on its root.
  EXPECT_LE(::listxattr(upper.upper.c_str(), nullptr, 0), 0);
}

TEST_F(Overlay, AwkwardNamesOfDirectories) {
  const Upper upper{dir / "u\\p,p:er", dir / std::string("work" + std::string(240, 'w'))};
  ASSERT_THAT(make_dirs(upper.upper), IsOk());
  ASSERT_THAT(make_dirs(upper.work), IsOk());
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(make_layers(2, "a,b:c\\")));
  STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, upper));
  const Attached merged(mount.get(), dir / "merged");
  ASSERT_THAT(write_file_atomic(merged / "new", "x"), IsOk());
  EXPECT_EQ(*read_file(upper.upper / "new"), "x");
}

TEST_F(Overlay, HundredsOfLayersWithLongPaths) {
  const auto all = make_many_layers(500);
  for (const int layers : {100, 300, 500}) {
    STRATA_ASSERT_OK(const auto stack, LayerStack::open({all.end() - layers, all.end()}));
    ASSERT_EQ(stack.size(), static_cast<size_t>(layers));
    STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, make_upper()));
    const Attached merged(mount.get(), dir / "merged");
    EXPECT_EQ(merged.read("top"), std::to_string(layers - 1));
    EXPECT_EQ(merged.read("n0"), "0");
    EXPECT_EQ(merged.list().size(), static_cast<size_t>(layers) + 1);
  }
}

TEST_F(Overlay, SaysWhenThereAreTooManyLayers) {
  // The limit comes before the layers are looked at: one directory 501 times will do.
  const std::vector<path> layers(501, make_layers(1).front());
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  EXPECT_THAT(mount_overlay(stack, std::nullopt), FailsWith(E2BIG, "no more than 500 layers"));
}

TEST_F(Overlay, ErrorsCarryTheKernelsWords) {
  const Upper upper = make_upper();
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(make_layers(2)));
  const auto mount = mount_overlay(stack, Upper{dir.write("file", ""), upper.work});
  ASSERT_THAT(mount, FailsWith(EINVAL, "is not a directory"));
  EXPECT_THAT(mount, FailsWith(EINVAL, "mount overlay of 2 layers, top " + stack.path(0).string()));
  EXPECT_THAT(mount_overlay(stack, Upper{upper.upper, dir / "none"}), FailsWith(ENOENT, "workdir"));
}

TEST_F(Overlay, StackOutlivesRenames) {
  const auto layers = make_layers(2);
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(layers));
  std::filesystem::rename(layers[0], dir / "moved");
  STRATA_ASSERT_OK(const auto mount, mount_overlay(stack, std::nullopt));
  const Attached merged(mount.get(), dir / "merged");
  EXPECT_EQ(merged.read("top"), "1");
}

// What kernels without `lowerdir+` get; mount(2) works the same on all.
TEST_F(Overlay, LegacyMount) {
  const Upper upper = make_upper();
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(make_many_layers(500)));
  STRATA_ASSERT_OK(const auto mount, mount_overlay_legacy(stack, upper, {}));
  {
    const Attached merged(mount.get(), dir / "merged");
    EXPECT_EQ(merged.read("top"), "499");
    EXPECT_EQ(merged.list().size(), 501U);
    ASSERT_THAT(write_file_atomic(merged / "new", "x"), IsOk());
    EXPECT_EQ(*read_file(upper.upper / "new"), "x");
  }
  STRATA_ASSERT_OK(const auto read_only, mount_overlay_legacy(stack, std::nullopt, {}));
  const Attached merged(read_only.get(), dir / "merged");
  EXPECT_EQ(merged.read("top"), "499");
  EXPECT_THAT(write_file_atomic(merged / "other", "x"), FailsWith(EROFS));
  // It was mounted where nobody sees it.
  STRATA_ASSERT_OK(const std::string mounts, read_file("/proc/self/mounts"));
  EXPECT_EQ(mounts.find("overlay /proc "), std::string::npos);
}

TEST(LayerStack, NamesTheLayerAtFault) {
  const TempDir dir;
  dir.write("file", "x");
  EXPECT_THAT(LayerStack::open({}), FailsWith(EINVAL));
  EXPECT_THAT(LayerStack::open({dir.path(), dir / "none"}), FailsWith(ENOENT, "none"));
  EXPECT_THAT(LayerStack::open({dir.path(), dir / "file"}), FailsWith(ENOTDIR, "file"));
}

TEST(LayerStack, EndsAtALayerThatHidesAllBelow) {
  STRATA_NEEDS_ROOT();
  const TempDir dir;
  std::vector<path> top_first;
  for (const char* name : {"top", "opaque", "hidden"}) {
    ASSERT_THAT(make_dirs(dir / name), IsOk());
    top_first.push_back(dir / name);
  }
  ASSERT_EQ(::setxattr(top_first[1].c_str(), "trusted.overlay.opaque", "y", 1, 0), 0);
  STRATA_ASSERT_OK(const auto stack, LayerStack::open(top_first));
  ASSERT_EQ(stack.size(), 2U);
  EXPECT_EQ(stack.path(1), top_first[1]);
}

}  // namespace
}  // namespace strata::unionfs
