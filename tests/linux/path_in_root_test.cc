#include "runtime/linux/path_in_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/error.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {
namespace {

namespace fs = std::filesystem;

class PathInRoot : public ::testing::Test {
 protected:
  PathInRoot() {
    fs::create_directories(root_);
    root_fd_.reset(::open(root_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  }

  // 0, or the errno.
  int make(const std::string& path, PointKind kind = PointKind::kDirectory) {
    const UniqueFd fd(open_mount_point(root_fd_.get(), path.c_str(), kind));
    if (!fd) return errno;
    at_ = fs::read_symlink("/proc/self/fd/" + std::to_string(fd.get()));
    return 0;
  }

  testing::TempDir temp_;
  fs::path root_ = temp_.path() / "root";
  UniqueFd root_fd_;
  fs::path at_;  // where the last one was made
};

TEST_F(PathInRoot, MakesWhatIsMissing) {
  EXPECT_EQ(make("/a/b/c"), 0);
  EXPECT_EQ(at_, root_ / "a/b/c");
  EXPECT_TRUE(fs::is_directory(at_));
  EXPECT_EQ(make("/a/file", PointKind::kFile), 0);
  EXPECT_TRUE(fs::is_regular_file(root_ / "a/file"));
  EXPECT_EQ(make("/a/b/c"), 0);
}

TEST_F(PathInRoot, FollowsLinksInsideTheRoot) {
  fs::create_directories(root_ / "run/lock");
  fs::create_directory_symlink("/run", root_ / "var");
  EXPECT_EQ(make("/var/lock/new"), 0);
  EXPECT_EQ(at_, root_ / "run/lock/new");
}

TEST_F(PathInRoot, NeverLeavesTheRoot) {
  fs::create_directory_symlink("../../../../../../..", root_ / "up");
  fs::create_directory_symlink(temp_.path(), root_ / "out");
  EXPECT_EQ(make("/up/made"), 0);
  EXPECT_EQ(at_, root_ / "made");
  EXPECT_EQ(make("/out/made"), 0);  // dangling inside: the same path below the root
  EXPECT_EQ(at_, root_ / temp_.path().relative_path() / "made");
  EXPECT_FALSE(fs::exists(temp_.path() / "made"));
}

TEST_F(PathInRoot, MakesDanglingLinksGood) {
  fs::create_directories(root_ / "etc");
  fs::create_symlink("../run/resolve/stub.conf", root_ / "etc/resolv.conf");
  EXPECT_EQ(make("/etc/resolv.conf", PointKind::kFile), 0);
  EXPECT_EQ(at_, root_ / "run/resolve/stub.conf");
  fs::create_symlink("/nowhere/file", root_ / "etc/absolute");
  EXPECT_EQ(make("/etc/absolute", PointKind::kFile), 0);
  EXPECT_EQ(at_, root_ / "nowhere/file");
  fs::create_symlink("missing", root_ / "etc/dir");
  EXPECT_EQ(make("/etc/dir/below"), 0);
  EXPECT_EQ(at_, root_ / "etc/missing/below");
}

TEST_F(PathInRoot, RefusesLoopsAndWrongKinds) {
  fs::create_symlink("b", root_ / "a");
  fs::create_symlink("a", root_ / "b");
  EXPECT_EQ(make("/a"), ELOOP);
  EXPECT_EQ(make("/a/x"), ELOOP);
  temp_.write("root/file", "");
  EXPECT_EQ(make("/file/x"), ENOTDIR);
  EXPECT_EQ(make("/file", PointKind::kPlainDirectory), ENOTDIR);
  EXPECT_EQ(make("/" + std::string(5000, 'x')), ENAMETOOLONG);
}

TEST_F(PathInRoot, PlainDirectoriesMayNotBeLinks) {
  fs::create_directories(root_ / "real");
  fs::create_directory_symlink("real", root_ / "proc");
  fs::create_directory_symlink("/", root_ / "sys");
  EXPECT_EQ(make("/proc", PointKind::kPlainDirectory), ELOOP);
  EXPECT_EQ(make("/sys", PointKind::kPlainDirectory), ELOOP);
  EXPECT_EQ(make("/new", PointKind::kPlainDirectory), 0);
}

TEST_F(PathInRoot, ShutsMagicLinksOut) {
  fs::create_directory_symlink("/proc/self/root", root_ / "magic");
  const UniqueFd host(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  // Seen from the host's root even a real /proc must not lead anywhere.
  EXPECT_LT(open_in_root(host.get(), "/proc/self/cwd"), 0);
  EXPECT_EQ(errno, ELOOP);
  EXPECT_LT(open_in_root(host.get(), "/proc/self/fd/0"), 0);
  EXPECT_EQ(errno, ELOOP);
}

// The kernel gives up on ".." below a root with EAGAIN when anything is mounted meanwhile, in
// whatever namespace (openat2(2)).
TEST_F(PathInRoot, MountsElsewhereDoNotDisturb) {
  STRATA_NEEDS_ROOT();
  const testing::TempDir elsewhere;
  std::jthread mounter([&](const std::stop_token& stop) {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);  // of this thread
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    while (!stop.stop_requested()) {
      ASSERT_EQ(::mount("t", elsewhere.path().c_str(), "tmpfs", 0, nullptr), 0);
      ASSERT_EQ(::umount(elsewhere.path().c_str()), 0);
    }
  });
  fs::create_directory(root_ / "d");
  std::string path;
  for (int i = 0; i < 200; ++i) path += "d/../";
  for (int i = 0; i < 10'000; ++i) {
    const UniqueFd fd(open_in_root(root_fd_.get(), path.c_str()));
    ASSERT_TRUE(fd) << i << ": " << errno_name(errno);
  }
}

TEST_F(PathInRoot, OpensOnlyWhatIsThere) {
  EXPECT_LT(open_in_root(root_fd_.get(), "/nothing"), 0);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(fs::exists(root_ / "nothing"));
}

}  // namespace
}  // namespace strata::linux
