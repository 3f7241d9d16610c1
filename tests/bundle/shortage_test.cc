// Nothing to be had: processes, memory, descriptors, space. Either it works all the same, or there
// is an error that says what was wrong; and nothing stays behind: no state, no cgroup, no mount, no
// process.

#include <sys/mount.h>

#include <fstream>

#include "tests/bundle/oci_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class ShortageTest : public OciTest {
 protected:
  void SetUp() override {
    OciTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    write_shell("echo ran");
  }

  // `strata-oci run c1` as a shell command begins it: with limits set, in a cgroup, traced.
  Completed run_after(const std::string& before) {
    std::string line = before + " ";
    for (const auto& word : command_line({"run", "c1"})) line += word + " ";
    const auto done = run_command(
        {.argv = {"sh", "-c", line}, .directory = bundle_, .timeout = std::chrono::seconds(30)});
    EXPECT_TRUE(done);
    if (!done) return {};
    EXPECT_FALSE(done->timed_out) << before;
    return *done;
  }

  static bool is_named(const Completed& done) {
    return done.err.find("level=error msg=") != std::string::npos;
  }
};

TEST_F(ShortageTest, OfProcesses) {
  const fs::path pids = "/sys/fs/cgroup/pids" + cgroup_ + "-caller";
  if (!fs::exists("/sys/fs/cgroup/pids")) GTEST_SKIP() << "no v1 pids controller here";
  fs::create_directories(pids);
  for (const int limit : {1, 2, 3}) {
    std::ofstream(pids / "pids.max") << limit;
    const auto done = run_after("echo 0 > " + (pids / "tasks").string() + "; exec");
    if (limit == 1) {
      EXPECT_EQ(done.status, 1);
      EXPECT_THAT(done.err, HasSubstr("clone"));
    }
    EXPECT_TRUE(done.out == "ran\n" || is_named(done)) << limit << ": " << done.err;
    expect_nothing_left("pids " + std::to_string(limit));
  }
  fs::remove(pids);
}

TEST_F(ShortageTest, OfDescriptors) {
  int ran = 0;
  for (int limit = 4; limit < 40; limit += limit < 24 ? 1 : 5) {
    const auto done = run_after("ulimit -Sn " + std::to_string(limit) + "; exec");
    EXPECT_TRUE(done.out == "ran\n" || is_named(done)) << limit << ": " << done.err;
    ran += done.out == "ran\n" ? 1 : 0;
    expect_nothing_left("descriptors " + std::to_string(limit));
  }
  EXPECT_GT(ran, 0);
}

TEST_F(ShortageTest, OfAddressSpace) {
  int ran = 0;
  for (int kilobytes = 5500; kilobytes < 12000; kilobytes += kilobytes < 7000 ? 60 : 1000) {
    const auto done = run_after("ulimit -v " + std::to_string(kilobytes) + "; exec");
    // Below that the program itself does not start.
    const bool started = done.status != 139 && done.status != 127 && done.status != 137;
    EXPECT_TRUE(!started || done.out == "ran\n" || is_named(done))
        << kilobytes << ": status " << done.status << " " << done.err;
    ran += done.out == "ran\n" ? 1 : 0;
    expect_nothing_left("address space " + std::to_string(kilobytes));
  }
  EXPECT_GT(ran, 0);
}

TEST_F(ShortageTest, OfTheContainersMemory) {
  for (const int limit : {4096, 65536, 262144}) {
    write_shell("echo ran", [&](Json& config) {
      config["linux"]["resources"]["memory"] = {{"limit", limit}};
    });
    const auto done = oci({"run", "c1"});
    if (done.out != "ran\n") {
      EXPECT_TRUE(done.status == 137 || is_named(done)) << done.status << done.err;
      if (is_named(done)) {
        EXPECT_THAT(done.err, AnyOf(HasSubstr("memory"), HasSubstr("killed")));
      }
    }
    expect_nothing_left("memory " + std::to_string(limit));
  }
}

TEST_F(ShortageTest, OfSpaceForTheState) {
  fs::create_directories(root());
  const std::string target = root();
  for (const std::string size : {"size=4k", "size=8k", "size=12k", "nr_inodes=1", "nr_inodes=2",
                                 "nr_inodes=3", "nr_inodes=4", "nr_inodes=5"}) {
    ASSERT_EQ(::mount("tmpfs", target.c_str(), "tmpfs", 0, size.c_str()), 0);
    const auto done = oci({"run", "c1"});
    EXPECT_TRUE(done.out == "ran\n" || is_named(done)) << size << ": " << done.err;
    if (done.out != "ran\n") {
      EXPECT_THAT(done.err, HasSubstr("No space left")) << size;
    }
    EXPECT_EQ(leftovers(), "") << size;
    ASSERT_EQ(::umount2(target.c_str(), MNT_DETACH), 0);
    expect_nothing_left(size);
  }
}

}  // namespace
}  // namespace strata::bundle
