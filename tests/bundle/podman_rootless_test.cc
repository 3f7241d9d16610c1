// Podman with strata-oci for a user without privileges: the engine is root of a user namespace
// itself, and the runtime finds itself there.

#include <sys/mount.h>

#include <fstream>

#include "tests/bundle/engine_fixture.h"

namespace strata::bundle {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr const char* kUser = "54321";  // nobody's number

class RootlessPodmanTest : public EngineTest {
 protected:
  void SetUp() override {
    for (const char* program : {"podman", "newuidmap", "catatonit"}) STRATA_NEEDS_PROGRAM(program);
    EngineTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::filesystem::permissions(temp_.path(), std::filesystem::perms(0755));
    std::filesystem::copy_file(testing::own_program("strata-oci"), ground_ / "strata-oci");
    for (const auto& directory : {home_, runtime_dir_})
      std::filesystem::create_directories(directory);
    for (const auto& directory : {home_, runtime_dir_, rootfs()})
      ASSERT_EQ(run({"chown", "-R", std::string(kUser) + ":" + kUser, directory}).status, 0);
    // What this machine knows of the user, in this test's mount namespace only.
    bind("passwd", "root:x:0:0::/:/bin/sh\nstrata:x:54321:54321::/:/bin/sh\n");
    bind("group", "root:x:0:\nstrata:x:54321:\n");
    bind("subuid", "strata:200000:65536\n");
    bind("subgid", "strata:300000:65536\n");
    std::ofstream(ground_ / "containers.conf")
        << "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n"
           "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"none\"\n";
  }

  void TearDown() override {
    if (std::filesystem::exists(ground_ / "containers.conf")) {
      podman({"rm", "--all", "--force", "--time", "0"});
      podman({"system", "migrate"});  // ends the process that keeps the engine's namespace
    }
    for (const auto& path : bound_) ::umount2(path.c_str(), MNT_DETACH);
    EngineTest::TearDown();
  }

  Completed podman(const std::vector<std::string>& arguments) const {
    std::vector<std::string> line{"setpriv",
                                  "--reuid",
                                  kUser,
                                  "--regid",
                                  kUser,
                                  "--clear-groups",
                                  "env",
                                  "--unset=USER",
                                  "podman",
                                  "--runtime",
                                  ground_ / "strata-oci",
                                  "--cgroup-manager",
                                  "cgroupfs"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    return run(line, {"HOME=" + home_.string(), "XDG_RUNTIME_DIR=" + runtime_dir_.string(),
                      "CONTAINERS_CONF=" + (ground_ / "containers.conf").string()});
  }
  // `podman run` with the root file system and what is to be run in it.
  Completed podman_run(const std::vector<std::string>& options,
                       const std::vector<std::string>& command) const {
    std::vector<std::string> line{"run"};
    line.insert(line.end(), options.begin(), options.end());
    line.insert(line.end(), {"--rootfs", rootfs().string() + ":O"});
    line.insert(line.end(), command.begin(), command.end());
    return podman(line);
  }

  std::filesystem::path home_ = ground_ / "home";
  std::filesystem::path runtime_dir_ = ground_ / "runtime";

 private:
  void bind(const std::string& name, const std::string& text) {
    std::ofstream(ground_ / name) << text;
    ASSERT_EQ(
        ::mount((ground_ / name).c_str(), ("/etc/" + name).c_str(), nullptr, MS_BIND, nullptr), 0)
        << name;
    bound_.push_back("/etc/" + name);
  }
  std::vector<std::string> bound_;
};

TEST_F(RootlessPodmanTest, DrivesContainers) {
  const auto done = podman_run({"--rm", "--network", "none"},
                               {"sh", "-c", "id -u; cat /proc/self/uid_map; exit 3"});
  EXPECT_EQ(done.status, 3) << done.err;
  EXPECT_THAT(done.out, MatchesRegex("0\n *0 *54321 *1\n *1 *200000 *65536\n"));
  EXPECT_EQ(podman_run({"--rm", "--network", "none"}, {"nosuch"}).status, 127);
  // The host's network belongs to a user namespace above.
  ASSERT_EQ(podman_run({"-d", "--name", "c1", "--network", "host"}, {"sleep", "100"}).status, 0);
  EXPECT_EQ(podman({"exec", "c1", "sh", "-c", "exit 4"}).status, 4);
  EXPECT_EQ(podman({"exec", "--user", "33", "c1", "id", "-u"}).out, "33\n");
  EXPECT_THAT(podman({"ps"}).out, HasSubstr("c1"));
  EXPECT_EQ(podman({"stop", "--time", "0", "c1"}).status, 0);
  EXPECT_EQ(podman({"rm", "c1"}).status, 0);
}

}  // namespace
}  // namespace strata::bundle
