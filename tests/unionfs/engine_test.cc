// What the random operations of union-differential don't reach: uppers of other mounts, hard links
// kept together, whole-upper operations.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/differential/differential.h"
#include "tests/unionfs/differential/view.h"
#include "unionfs/base/file.h"
#include "unionfs/explain.h"
#include "unionfs/index/cache.h"
#include "unionfs/union.h"

namespace strata::unionfs {
namespace {

using std::filesystem::path;
using testing::difference;
using testing::engine_view;
using testing::FailsWith;
using testing::IsOk;
using testing::kernel_view;
using testing::TempDir;
using testing::ViewOptions;

const ViewOptions kAlways{.start = 4'000'000'000};  // all times are older: all are compared

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    ASSERT_TRUE(testing::enter_private_namespaces());
    for (const char* name : {"lower", "upper", "work", "merged"})
      std::filesystem::create_directory(dir_ / name);
  }

  void lower(const std::string& name, const std::string& content = "content") {
    dir_.write("lower/" + name, content);
  }

  Union open(const UnionOptions& options = {}) {
    LayerStack stack = LayerStack::open({dir_ / "lower"}).value();
    auto opened = index::open_index(stack, std::nullopt, *options.names).value();
    return Union::open(std::move(stack), std::move(opened.index),
                       Upper{dir_ / "upper", dir_ / "work"}, options)
        .value();
  }

  void mount(const std::string& options) {
    const std::string all = "lowerdir=" + (dir_ / "lower").string() +
                            ",upperdir=" + (dir_ / "upper").string() +
                            ",workdir=" + (dir_ / "work").string() + "," + options;
    ASSERT_EQ(::mount("overlay", merged().c_str(), "overlay", 0, all.c_str()), 0) << all;
  }
  void unmount() { ASSERT_EQ(::umount(merged().c_str()), 0); }

  path merged() { return dir_ / "merged"; }

  // What differs between the engine's view and that of a kernel's mount.
  std::string against_kernel(const UnionOptions& options, const std::string& mount_options) {
    mount(mount_options);
    const auto kernel = kernel_view(merged(), kAlways);
    unmount();
    Union merged = open(options);
    return difference(engine_view(merged, kAlways), kernel);
  }

  TempDir dir_;
};

TEST_F(EngineTest, MetacopiesAndRedirectsOfTheKernelAreRead) {
  lower("d/file", "a content");
  lower("d/sub/deep", "deep content");
  lower("plain", "plain content");
  mount("metacopy=on,redirect_dir=on,index=off,xino=off");
  ASSERT_EQ(::chmod((merged() / "plain").c_str(), 0600), 0);
  ASSERT_EQ(::rename((merged() / "d").c_str(), (merged() / "moved").c_str()), 0);
  ASSERT_EQ(::chown((merged() / "moved/file").c_str(), 7, 8), 0);
  ASSERT_EQ(::rename((merged() / "moved/file").c_str(), (merged() / "file-away").c_str()), 0);
  unmount();
  ASSERT_GT(::lgetxattr((dir_ / "upper/plain").c_str(), kTrustedXattrs.metacopy, nullptr, 0), -1);
  EXPECT_EQ(against_kernel({}, "metacopy=on,redirect_dir=on,index=off,xino=off"), "");

  const Union merged = open();
  EXPECT_EQ(merged.changes().value(), (std::vector<Change>{{ChangeKind::kDeleted, "/d"},
                                                           {ChangeKind::kAdded, "/file-away"},
                                                           {ChangeKind::kAdded, "/moved"},
                                                           {ChangeKind::kAdded, "/moved/sub"},
                                                           {ChangeKind::kAdded, "/moved/sub/deep"},
                                                           {ChangeKind::kChanged, "/plain"}}));
}

TEST_F(EngineTest, ACompletedUpperNeedsNeither) {
  lower("d/file", "a content");
  lower("d/sub/deep", "deep content");
  lower("plain", "plain content");
  mount("metacopy=on,redirect_dir=on,index=off,xino=off");
  ASSERT_EQ(::chmod((merged() / "plain").c_str(), 0600), 0);
  ASSERT_EQ(::rename((merged() / "d/sub").c_str(), (merged() / "sub2").c_str()), 0);
  ASSERT_EQ(::rename((merged() / "d").c_str(), (merged() / "sub2/d2").c_str()), 0);
  const auto before = kernel_view(merged(), kAlways);
  unmount();
  {
    Union merged = open();
    ASSERT_THAT(merged.complete_upper(), IsOk());
    EXPECT_EQ(difference(engine_view(merged, kAlways), before), "");
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir_ / "upper")) {
    for (const char* note : {kTrustedXattrs.metacopy, kTrustedXattrs.redirect})
      EXPECT_EQ(::lgetxattr(entry.path().c_str(), note, nullptr, 0), -1) << entry.path() << note;
  }
  EXPECT_EQ(against_kernel({}, "metacopy=off,redirect_dir=nofollow,index=off,xino=off"), "");
}

TEST_F(EngineTest, HardLinksAreKeptTogetherWhenAsked) {
  lower("a", "shared");
  std::filesystem::create_directory(dir_ / "lower/d");
  std::filesystem::create_hard_link(dir_ / "lower/a", dir_ / "lower/d/b");
  {
    Union merged = open({.keeps_hard_links = true});
    const UniqueFd fd = merged.open("/a", O_WRONLY | O_TRUNC).value();
    ASSERT_EQ(::write(fd.get(), "new", 3), 3);
  }
  EXPECT_EQ(read_file(dir_ / "upper/d/b").value(), "new");
  struct stat a {};
  struct stat b {};
  ASSERT_EQ(::lstat((dir_ / "upper/a").c_str(), &a), 0);
  ASSERT_EQ(::lstat((dir_ / "upper/d/b").c_str(), &b), 0);
  EXPECT_EQ(a.st_ino, b.st_ino);
}

// Whoever copies up, whoever looks: the number stays.
TEST_F(EngineTest, CopiesKeepTheirInodeNumbers) {
  for (const char* name : {"file", "d/file", "d/sub/moved", "d/linked"}) lower(name);
  std::filesystem::create_hard_link(dir_ / "lower/d/linked", dir_ / "lower/d/other");
  ASSERT_EQ(::symlink("file", (dir_ / "lower/d/link").c_str()), 0);
  const auto inode = [](const path& file) {
    struct stat status {};
    EXPECT_EQ(::lstat(file.c_str(), &status), 0) << file;
    return status.st_ino;
  };
  for (const bool by_user : {false, true}) {
    const UnionOptions options{.names = by_user ? &kUserXattrs : &kTrustedXattrs,
                               .redirect_dir = !by_user};
    for (const char* name : {"upper", "work"}) {
      ASSERT_THAT(remove_tree(dir_ / name), IsOk());
      std::filesystem::create_directory(dir_ / name);
    }
    const auto before = open(options).stat("/d/file").value().st_ino;
    EXPECT_EQ(before, inode(dir_ / "lower/d/file"));
    {
      Union merged = open(options);
      for (const char* name : {"/file", "/d/file", "/d/sub/moved", "/d/linked"})
        ASSERT_THAT(merged.set_mode(name, 0600), IsOk());
      ASSERT_THAT(merged.set_owner("/d/link", 1, 1, Follow::kNo), IsOk());
      ASSERT_THAT(merged.make_directory("/new", 0755), IsOk());
      ASSERT_THAT(merged.rename("/d/sub/moved", "/new/moved"), IsOk());
    }
    const auto engine = [&](const std::string& name) {
      return open(options).stat("/" + name).value().st_ino;
    };
    std::map<std::string, std::vector<ino_t>> seen;
    const char* const names[] = {"d", "d/sub", "file", "d/file", "new/moved"};
    for (const std::string name : names) seen[name].push_back(engine(name));
    mount(std::string(by_user ? "userxattr," : "redirect_dir=on,") + "index=off,xino=off");
    for (const std::string name : names) seen[name].push_back(inode(merged() / name));
    EXPECT_NE(inode(merged() / "d/linked"), inode(dir_ / "lower/d/linked"));
    if (!by_user) {
      EXPECT_EQ(inode(merged() / "d/link"), inode(dir_ / "lower/d/link"));
    }
    unmount();
    for (const auto& [name, inodes] : seen) {
      const path below = dir_ / "lower" / (name == "new/moved" ? "d/sub/moved" : name);
      EXPECT_EQ(inodes, std::vector<ino_t>(2, inode(below))) << name;
    }
  }
}

// Whether a file that keeps its size keeps its times is the file system's affair.
TEST_F(EngineTest, TruncatingToTheSameSizeIsTheFileSystemsAffair) {
  lower("empty", "");
  lower("full", "content");
  const auto time_of = [](const Union& merged, const char* name) {
    return merged.stat(name).value().st_mtim.tv_sec;
  };
  const path plain = dir_.write("plain", "");
  for (const path& file : {dir_ / "lower/empty", dir_ / "lower/full", plain}) {
    const timespec old[2] = {{.tv_sec = 7}, {.tv_sec = 7}};
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), old, 0), 0);
  }
  ASSERT_EQ(::truncate(plain.c_str(), 0), 0);
  struct stat expected {};
  ASSERT_EQ(::stat(plain.c_str(), &expected), 0);
  Union merged = open();
  ASSERT_THAT(merged.truncate("/empty", 0), IsOk());
  EXPECT_EQ(time_of(merged, "/empty") == 7, expected.st_mtim.tv_sec == 7);
  ASSERT_THAT(merged.truncate("/full", 0), IsOk());
  EXPECT_NE(time_of(merged, "/full"), 7);
}

TEST_F(EngineTest, SparseFilesStaySparse) {
  const path sparse = dir_ / "lower/sparse";
  {
    const UniqueFd fd(::open(sparse.c_str(), O_WRONLY | O_CREAT, 0644));
    ASSERT_EQ(::pwrite(fd.get(), "end", 3, off_t{1} << 30), 3);
  }
  ASSERT_THAT(open().set_mode("/sparse", 0600), IsOk());
  struct stat copy {};
  ASSERT_EQ(::lstat((dir_ / "upper/sparse").c_str(), &copy), 0);
  EXPECT_EQ(copy.st_size, (off_t{1} << 30) + 3);
  EXPECT_LT(copy.st_blocks, 64);
}

TEST_F(EngineTest, TheUserFamilyIsWrittenAsTheKernelReadsIt) {
  lower("d/a");
  lower("d/b");
  lower("gone/x");
  {
    Union merged = open({.names = &kUserXattrs});
    ASSERT_THAT(merged.unlink("/d/a"), IsOk());
    ASSERT_THAT(merged.unlink("/gone/x"), IsOk());
    ASSERT_THAT(merged.remove_directory("/gone"), IsOk());
    ASSERT_THAT(merged.make_directory("/gone", 0755), IsOk());
    ASSERT_THAT(merged.set_xattr("/d/b", "user.overlay.own", "v", 0), IsOk());
  }
  EXPECT_EQ(against_kernel({.names = &kUserXattrs}, "userxattr,index=off,xino=off"), "");
}

TEST_F(EngineTest, WithoutAnUpperAllIsReadOnly) {
  lower("a");
  LayerStack stack = LayerStack::open({dir_ / "lower"}).value();
  auto index = index::open_index(stack, std::nullopt).value().index;
  Union merged = Union::open(std::move(stack), std::move(index), std::nullopt).value();
  EXPECT_THAT(merged.unlink("/a"), FailsWith(EROFS));
  EXPECT_THAT(merged.open("/a", O_RDWR), FailsWith(EROFS));
  EXPECT_THAT(merged.make_directory("/d", 0755), FailsWith(EROFS));
  EXPECT_THAT(merged.rename("/a", "/b"), FailsWith(EROFS));
  EXPECT_THAT(merged.open("/a", O_RDONLY), IsOk());
}

TEST_F(EngineTest, AWorkDirectoryElsewhereIsRefused) {
  lower("a");
  ASSERT_EQ(::mount("tmpfs", (dir_ / "work").c_str(), "tmpfs", 0, ""), 0);
  LayerStack stack = LayerStack::open({dir_ / "lower"}).value();
  auto index = index::open_index(stack, std::nullopt).value().index;
  EXPECT_THAT(Union::open(std::move(stack), std::move(index), Upper{dir_ / "upper", dir_ / "work"}),
              FailsWith(EXDEV, "another file system"));
  ASSERT_EQ(::umount((dir_ / "work").c_str()), 0);
}

TEST_F(EngineTest, DirectoryListingsAreOfOneMoment) {
  for (int i = 0; i < 100; ++i) lower("d/" + std::to_string(i));
  Union merged = open();
  const auto before = merged.read_directory("/d").value();
  for (int i = 0; i < 50; ++i) ASSERT_THAT(merged.unlink("/d/" + std::to_string(i)), IsOk());
  EXPECT_EQ(before.size(), 100U);
  EXPECT_EQ(merged.read_directory("/d").value().size(), 50U);
}

TEST_F(EngineTest, LeftoversInTheWorkDirectoryAreRemoved) {
  lower("a");
  dir_.write("work/engine/7/half", "a copy that was cut short");
  Union merged = open();
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "work/engine"));
}

TEST_F(EngineTest, ExplainTellsLayerByLayer) {
  lower("d/file");
  dir_.write("top/d/file", "other");
  std::filesystem::create_directories(dir_ / "middle/d");
  ASSERT_EQ(::mknod((dir_ / "middle/d/file").c_str(), S_IFCHR, 0), 0);
  const LayerStack stack =
      LayerStack::open({dir_ / "top", dir_ / "middle", dir_ / "lower"}).value();
  const auto file = explain(stack, "/d/file").value();
  ASSERT_EQ(file.size(), 3U);
  EXPECT_EQ(file[0].says, LayerSays::kAnswers);
  EXPECT_EQ(file[1].says, LayerSays::kWhiteout);
  EXPECT_EQ(file[2].says, LayerSays::kShadowed);
  const auto directory = explain(stack, "d").value();
  EXPECT_EQ(directory[0].says, LayerSays::kAnswers);
  EXPECT_EQ(directory[2].says, LayerSays::kMerged);
}

// The engine and the kernel over the same random operations; tests/union-differential goes on for
// as long as it is told.
TEST(Differential, RandomOperations) {
  STRATA_NEEDS_ROOT();
  ASSERT_TRUE(testing::enter_private_namespaces());
  const mode_t mask = ::umask(0);
  const TempDir scratch;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    const testing::Case input = testing::random_case(seed, 100);
    const std::string differs = testing::run_case(input, scratch.path());
    EXPECT_EQ(differs, "") << to_text(testing::shrink(input, scratch.path()));
    if (!differs.empty()) break;
  }
  ::umask(mask);
}

}  // namespace
}  // namespace strata::unionfs
