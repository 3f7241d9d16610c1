#include "unionfs/base/file.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace strata {
namespace {

using testing::FailsWith;
using testing::IsOk;
using testing::TempDir;

TEST(File, AtomicWriteReplacesAndLeavesNothingBeside) {
  const TempDir dir;
  const auto path = dir / "state.json";
  ASSERT_THAT(write_file_atomic(path, "one"), IsOk());
  ASSERT_THAT(write_file_atomic(path, "two", Durability::kAtomic, 0600), IsOk());
  STRATA_ASSERT_OK(const std::string content, read_file(path));
  EXPECT_EQ(content, "two");
  struct stat st {};
  ASSERT_EQ(::stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777U, 0600U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(dir.path()), {}), 1);
}

TEST(File, AbsenceIsAValue) {
  const TempDir dir;
  STRATA_ASSERT_OK(const auto content, read_file_if_exists(dir / "none"));
  EXPECT_FALSE(content.has_value());
  EXPECT_THAT(read_file(dir / "none"), FailsWith(ENOENT, "none"));
}

TEST(File, ReadStopsAtItsLimit) {
  const TempDir dir;
  EXPECT_THAT(read_file(dir.write("big", std::string(1000, 'x')), 999), FailsWith(EFBIG));
}

TEST(File, RemoveTreeDoesNotFollowLinks) {
  const TempDir dir;
  const auto kept = dir.write("kept/file", "x");
  dir.write("gone/deep/er/file", "y");
  ASSERT_EQ(::symlink((dir / "kept").c_str(), (dir / "gone/link").c_str()), 0);
  ASSERT_EQ(::chmod((dir / "gone/deep").c_str(), 0), 0);
  ASSERT_THAT(remove_tree(dir / "gone"), IsOk());
  EXPECT_FALSE(std::filesystem::exists(dir / "gone"));
  EXPECT_TRUE(std::filesystem::exists(kept));
  EXPECT_THAT(remove_tree(dir / "gone"), IsOk());
}

// A container can make a tree deeper than a path can say or a process have descriptors.
TEST(File, RemoveTreeOfAnyDepth) {
  const TempDir dir;
  const std::string name(200, 'd');
  UniqueFd at(::open(dir.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(at);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), name.c_str(), 0755), 0);
    at.reset(::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at);
  }
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit few{.rlim_cur = 32, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_THAT(remove_tree(dir / name), IsOk());
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(File, RemoveTreeStopsAtMounts) {
  STRATA_NEEDS_ROOT();
  ASSERT_TRUE(testing::enter_private_namespaces());
  const TempDir dir;
  dir.write("tree/mounted/below", "x");
  ASSERT_EQ(::mount("none", (dir / "tree/mounted").c_str(), "tmpfs", 0, nullptr), 0);
  EXPECT_THAT(remove_tree(dir / "tree"), FailsWith(EXDEV, "mounted there"));
  ASSERT_EQ(::umount2((dir / "tree/mounted").c_str(), MNT_DETACH), 0);
  EXPECT_THAT(remove_tree(dir / "tree"), IsOk());
}

}  // namespace
}  // namespace strata
