// Podman drives strata-oci: the whole way of a container from an engine's side, on a real Debian
// root file system.

#include <sys/mount.h>
#include <unistd.h>

#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/linux/cgroup_hierarchies.h"
#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/subprocess.h"

namespace strata::bundle {
namespace {

using ::testing::HasSubstr;

// Podman's defaults where a plain machine without systemd allows them; limits below any machine's
// hard ones, so that they needn't be raised.
constexpr const char* kConfiguration = R"([containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
)";

class PodmanTest : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_NEEDS_PROGRAM("podman");
    STRATA_NEEDS_DEBIAN();
    ASSERT_TRUE(testing::enter_private_namespaces());
    // Podman writes there: to be gone with this test, and to be nobody else's.
    for (const char* path : {"/run", "/var/lib/containers", "/dev/shm"}) {
      if (::access(path, F_OK) == 0) {
        ASSERT_EQ(::mount("tmpfs", path, "tmpfs", 0, nullptr), 0) << path;
      }
    }
    ASSERT_TRUE(write_file_atomic(temp_ / "containers.conf", kConfiguration, Durability::kAtomic));
    // The image is a directory: nothing has to be imported.
    ASSERT_TRUE(make_dirs(rootfs_));
    const auto unpacked = run_command(
        {.argv = {"tar", "-xf", testing::debian_tar().string(), "-C", rootfs_.string()}});
    ASSERT_TRUE(unpacked && unpacked->status == 0);
  }

  void TearDown() override {
    podman({"rm", "--all", "--force", "--time", "1"});
    podman({"pod", "rm", "--all", "--force"});
    for (const auto& hierarchy : linux::CgroupHierarchies::host().all()) {
      const auto parent = hierarchy.mount + "/" + parent_;
      ::rmdir((parent + "/conmon").c_str());
      EXPECT_TRUE(::rmdir(parent.c_str()) == 0 || errno == ENOENT) << parent;
    }
  }

  Completed podman(const std::vector<std::string>& arguments) {
    Command command{
        .argv = {"podman", "--runtime", testing::own_program("strata-oci"), "--storage-driver",
                 "overlay", "--cgroup-manager", "cgroupfs", "--root", (temp_ / "store").string(),
                 "--runroot", (temp_ / "run").string()},
        .env = {"CONTAINERS_CONF=" + (temp_ / "containers.conf").string()},
        .timeout = std::chrono::seconds(60)};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    const auto done = run_command(command);
    EXPECT_TRUE(done);
    EXPECT_FALSE(done && done->timed_out) << arguments.front();
    return done ? *done : Completed{.status = -1};
  }

  // `podman run` with the root file system and what is to be run in it.
  Completed run(std::vector<std::string> options, const std::vector<std::string>& command) {
    std::vector<std::string> arguments{"run", "--network", "none", "--cgroup-parent",
                                       "/" + parent_};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"--rootfs", rootfs_.string() + ":O"});
    arguments.insert(arguments.end(), command.begin(), command.end());
    return podman(arguments);
  }

  testing::TempDir temp_;
  std::filesystem::path rootfs_ = temp_.path() / "rootfs";
  std::string parent_ = "strata-podman-test-" + std::to_string(::getpid());
};

TEST_F(PodmanTest, RunsContainers) {
  const auto done = run({"--rm"}, {"sh", "-c", "cat /etc/debian_version; echo err >&2; exit 3"});
  EXPECT_EQ(done.status, 3) << done.err;
  EXPECT_EQ(done.out, read_file(rootfs_ / "etc/debian_version").value_or("?"));
  EXPECT_THAT(done.err, HasSubstr("err\n"));
  EXPECT_EQ(run({"--rm"}, {"nosuch"}).status, 127);
  EXPECT_EQ(run({"--rm"}, {"/etc/passwd"}).status, 126);
  const auto limited = run({"--rm", "--memory", "64m", "--user", "33:33", "--read-only"},
                           {"sh", "-c", "id -u; touch /x 2>&1"});
  EXPECT_NE(limited.status, 0);
  EXPECT_THAT(limited.out, HasSubstr("33\n"));
  EXPECT_THAT(limited.out, HasSubstr("Read-only file system")) << limited.err;
}

TEST_F(PodmanTest, DrivesARunningContainer) {
  const auto started = run({"-d", "--name", "c1"}, {"sh", "-c", "echo logged; exec sleep 100"});
  ASSERT_EQ(started.status, 0) << started.err;
  const auto entered = podman({"exec", "--env", "A=b", "c1", "sh", "-c", "echo $A; exit 4"});
  EXPECT_EQ(entered.status, 4) << entered.err;
  EXPECT_EQ(entered.out, "b\n");
  EXPECT_EQ(podman({"exec", "c1", "nosuch"}).status, 127);
  EXPECT_EQ(podman({"exec", "-d", "c1", "touch", "/tmp/made"}).status, 0);
  EXPECT_THAT(podman({"exec", "-t", "c1", "tty"}).out, HasSubstr("/dev/pts/"));
  EXPECT_EQ(podman({"logs", "c1"}).out, "logged\n");
  EXPECT_THAT(podman({"top", "c1"}).out, HasSubstr("sleep"));
  EXPECT_THAT(podman({"stats", "--no-stream", "c1"}).out, HasSubstr("c1"));
  EXPECT_EQ(podman({"pause", "c1"}).status, 0);
  EXPECT_EQ(podman({"inspect", "-f", "{{.State.Status}}", "c1"}).out, "paused\n");
  EXPECT_EQ(podman({"unpause", "c1"}).status, 0);
  const auto stopped = podman({"stop", "--time", "1", "c1"});
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_EQ(podman({"inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "c1"}).out,
            "exited 137\n");
  EXPECT_EQ(podman({"start", "c1"}).status, 0);
  EXPECT_EQ(podman({"rm", "--force", "--time", "1", "c1"}).status, 0);
}

TEST_F(PodmanTest, GivesATerminalToTheFirstProcess) {
  const auto done = run({"--rm", "-t"}, {"tty"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_THAT(done.out, HasSubstr("/dev/pts/"));
}

}  // namespace
}  // namespace strata::bundle
