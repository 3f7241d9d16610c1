// Mount options, ID-mapped mounts, root propagation and devices, seen from inside.

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "tests/linux/container_fixture.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SpecMountsTest : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    with_seccomp_ = false;
  }

  // The options of each mount at or below /m: "/m rw,nosuid,relatime".
  [[nodiscard]] oci::Spec options_of(oci::Mount mount) const {
    auto spec = shell("grep ' /m' /proc/self/mountinfo | cut -d' ' -f5,6");
    spec.mounts.push_back(std::move(mount));
    return spec;
  }

  // A directory of the host with a tmpfs mounted below it.
  std::filesystem::path nested() {
    const auto outer = temp_ / "outer";
    std::filesystem::create_directories(outer / "inner");
    EXPECT_EQ(::mount("inner", (outer / "inner").c_str(), "tmpfs", 0, nullptr), 0);
    return outer;
  }
  void unmount(const std::filesystem::path& outer) {
    EXPECT_EQ(::umount2((outer / "inner").c_str(), MNT_DETACH), 0);
  }

  void expect_failure(const oci::Spec& spec, int code, const char* text) {
    const Error error = failure_of(spec);
    EXPECT_EQ(error.code, code) << error.what;
    EXPECT_THAT(error.what, HasSubstr(text));
  }
};

TEST_F(SpecMountsTest, EveryAttributeIsSet) {
  const std::pair<const char*, const char*> kCases[] = {
      {"ro", "/m ro,relatime\n"},
      {"nosuid", "/m rw,nosuid,relatime\n"},
      {"nodev", "/m rw,nodev,relatime\n"},
      {"noexec", "/m rw,noexec,relatime\n"},
      {"noatime", "/m rw,noatime\n"},
      {"strictatime", "/m rw\n"},
      {"nodiratime", "/m rw,nodiratime,relatime\n"},
      {"nosymfollow", "/m rw,relatime,nosymfollow\n"},
      {"rnosuid", "/m rw,nosuid,relatime\n"},
      {"silent", "/m rw,relatime\n"},
      {"noiversion", "/m rw,relatime\n"}};
  for (const auto& [option, line] : kCases)
    EXPECT_EQ(run(options_of({"/m", "tmpfs", "tmpfs", {option}})).out, line) << option;
}

TEST_F(SpecMountsTest, LaterOptionsWin) {
  EXPECT_EQ(run(options_of({"/m", "tmpfs", "tmpfs", {"ro", "nosuid", "rw", "suid"}})).out,
            "/m rw,relatime\n");
}

TEST_F(SpecMountsTest, DataOptionsReachTheFileSystem) {
  auto spec = shell("grep ' /m ' /proc/self/mountinfo | sed 's/.* - //'; stat -c '%a %u' /m");
  std::filesystem::create_symlink("busybox", root_ / "bin/sed");
  spec.mounts.push_back(
      {"/m", "tmpfs", "named", {"size=64k", "mode=1711", "uid=12", "nr_inodes=9"}});
  EXPECT_THAT(run(spec).out,
              AllOf(HasSubstr("tmpfs named rw,size=64k,nr_inodes=9,mode=1711,uid=12"),
                    HasSubstr("1711 12\n")));
  spec.mounts.back().options = {"moon=full"};
  expect_failure(spec, EINVAL, "Unknown parameter 'moon'");
  spec.mounts.back().options = {"remount"};
  expect_failure(spec, EINVAL, "'remount' is not supported");
}

TEST_F(SpecMountsTest, RecursiveAttributesReachWhatIsBelow) {
  const auto outer = nested();
  EXPECT_EQ(run(options_of({"/m", "none", outer, {"rbind", "ro"}})).out,
            "/m ro,relatime\n/m/inner rw,relatime\n");
  EXPECT_EQ(run(options_of({"/m", "none", outer, {"rbind", "rro", "rnosuid", "rnoatime"}})).out,
            "/m ro,nosuid,noatime\n/m/inner ro,nosuid,noatime\n");
  EXPECT_EQ(run(options_of({"/m", "none", outer, {"bind", "noexec"}})).out,
            "/m rw,noexec,relatime\n");
  unmount(outer);
}

TEST_F(SpecMountsTest, PropagationIsSet) {
  const auto outer = nested();
  const auto look = [&](std::vector<std::string> options) {
    auto spec = shell("grep ' /m ' /proc/self/mountinfo | cut -d' ' -f7");
    options.emplace_back("rbind");
    spec.mounts.push_back({"/m", "none", outer, std::move(options)});
    return run(spec).out;
  };
  EXPECT_EQ(look({}), "-\n");
  EXPECT_EQ(look({"unbindable"}), "unbindable\n");
  EXPECT_THAT(look({"shared"}), HasSubstr("shared:"));
  ASSERT_EQ(::mount(outer.c_str(), outer.c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, outer.c_str(), nullptr, MS_SHARED, nullptr), 0);
  EXPECT_THAT(look({"rslave"}), HasSubstr("master:"));
  EXPECT_EQ(look({"rprivate"}), "-\n");
  ASSERT_EQ(::umount2(outer.c_str(), MNT_DETACH), 0);
  unmount(outer);
}

TEST_F(SpecMountsTest, RootPropagationIsSet) {
  auto spec = shell(
      "grep ' / / ' /proc/self/mountinfo | cut -d' ' -f7; "
      "grep -E '^[0-9 :]+ [^ ]+ / ' /proc/self/mountinfo | cut -d' ' -f7");
  EXPECT_THAT(run(spec).out, HasSubstr("-\n"));
  spec.linux.rootfs_propagation = "shared";
  EXPECT_THAT(run(spec).out, HasSubstr("shared:"));
  spec.linux.rootfs_propagation = "unbindable";
  EXPECT_THAT(run(spec).out, HasSubstr("unbindable"));
  spec.linux.rootfs_propagation = "rslave";
  EXPECT_EQ(run(spec).status, 0);
  spec.linux.rootfs_propagation = "moon";
  expect_failure(spec, EINVAL, "linux.rootfsPropagation: unknown value 'moon'");
}

TEST_F(SpecMountsTest, IdMappedMountsMapIds) {
  const auto volume = temp_ / "volume";
  temp_.write("volume/file", "x");
  ::chown((volume / "file").c_str(), 1000, 2000);
  auto spec = shell("stat -c '%u %g' /m/file; touch /m/new");
  spec.mounts.push_back(
      {"/m", "none", volume, {"bind"}, {{1000, 5, 1}, {0, 0, 1}}, {{2000, 6, 1}, {0, 0, 1}}});
  EXPECT_EQ(run(spec).out, "5 6\n");
  struct stat st {};
  EXPECT_EQ(::stat((volume / "new").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 0U);
  spec.mounts.back().uid_mappings.clear();
  spec.mounts.back().gid_mappings.clear();
  spec.mounts.back().options = {"bind", "idmap"};
  expect_failure(spec, EINVAL, "ID-mapped without mappings or a user namespace");
  spec.mounts.back() = {"/m", "tmpfs", "tmpfs", {"idmap"}};
  expect_failure(spec, EINVAL, "only bind mounts can be ID-mapped");
}

TEST_F(SpecMountsTest, IdMappedMountsFollowTheUserNamespace) {
  const auto outer = nested();
  temp_.write("outer/file", "x");
  temp_.write("outer/inner/file", "x");
  auto spec = shell("stat -c %u /m/file /m/inner/file; touch /m/new");
  spec.linux.namespaces.push_back({"user", ""});
  spec.linux.uid_mappings = spec.linux.gid_mappings = {{0, 200'000, 65536}};
  spec.mounts.push_back({"/m", "none", outer, {"rbind", "idmap"}});
  give_root_to(200'000);
  EXPECT_EQ(run(spec).out, "0\n65534\n");
  spec.mounts.back().options = {"rbind", "ridmap"};
  EXPECT_EQ(run(spec).out, "0\n0\n");
  struct stat st {};
  EXPECT_EQ(::stat((outer / "new").c_str(), &st), 0);
  EXPECT_EQ(st.st_uid, 0U);  // as on the disk
  unmount(outer);
}

TEST_F(SpecMountsTest, TmpfsStartsWithACopy) {
  temp_.write("root/srv/file", "content\n");
  temp_.write("root/srv/deep/er", "below\n");
  std::filesystem::create_symlink("file", root_ / "srv/link");
  ::chmod((root_ / "srv/file").c_str(), 04751);
  ::chown((root_ / "srv").c_str(), 12, 34);
  auto spec = shell(
      "cat /srv/link /srv/deep/er; stat -c '%a %u:%g' /srv/file /srv; "
      "readlink /srv/link; echo x > /srv/file; touch /srv/y");
  spec.mounts.push_back({"/srv", "tmpfs", "tmpfs", {"tmpcopyup", "size=1m", "mode=700"}});
  EXPECT_EQ(run(spec).out, "content\nbelow\n4751 0:0\n755 12:34\nfile\n");
  EXPECT_FALSE(std::filesystem::exists(root_ / "srv/y"));
  spec.mounts.back().options.emplace_back("ro");
  EXPECT_THAT(run(spec).out, HasSubstr("Read-only file system"));
  spec.mounts.back().destination = "/nothing/there";
  EXPECT_THAT(run(spec).out, HasSubstr("content\n"));
  spec.mounts.back() = {"/srv", "ramfs", "ramfs", {"tmpcopyup"}};
  expect_failure(spec, EINVAL, "tmpcopyup is for tmpfs");
}

TEST_F(SpecMountsTest, DevicesAreMade) {
  auto spec = shell(
      "stat -c '%n %F %t:%T %a %u:%g' /dev/fuse /dev/net/tun /srv/pipe /srv/disk "
      "/dev/shm/zero; head -c 3 /dev/net/tun | wc -c");
  spec.linux.devices = {{.type = "c", .path = "/dev/fuse", .major = 10, .minor = 229},
                        {.type = "u",
                         .path = "/dev/net/tun",
                         .major = 1,
                         .minor = 5,
                         .file_mode = 0640,
                         .uid = 3,
                         .gid = 4},
                        {.type = "p", .path = "/srv/pipe", .file_mode = 0600},
                        {.type = "b", .path = "/srv/disk", .major = 7, .minor = 99, .uid = 9},
                        {.type = "c", .path = "/dev/shm/zero", .major = 1, .minor = 5},
                        {.type = "c", .path = "/dev/null", .major = 1, .minor = 3},
                        {.type = "c", .path = "/dev/ptmx", .major = 5, .minor = 2}};
  EXPECT_EQ(run(spec).out,
            "/dev/fuse character special file a:e5 666 0:0\n"
            "/dev/net/tun character special file 1:5 640 3:4\n"
            "/srv/pipe fifo 0:0 600 0:0\n"
            "/srv/disk block special file 7:63 666 9:0\n"
            "/dev/shm/zero character special file 1:5 666 0:0\n3\n");
}

TEST_F(SpecMountsTest, DevicesAreMadeInAUserNamespace) {
  auto spec = shell("stat -c '%n %t:%T %u:%g' /dev/fuse /dev/null; echo x > /dev/fuse && echo ok");
  spec.linux.namespaces.push_back({"user", ""});
  spec.linux.uid_mappings = spec.linux.gid_mappings = {{0, 200'000, 65536}};
  spec.linux.devices = {
      {.type = "c", .path = "/dev/fuse", .major = 1, .minor = 3, .uid = 3, .gid = 4}};
  give_root_to(200'000);
  EXPECT_EQ(run(spec).out, "/dev/fuse 1:3 3:4\n/dev/null 1:3 0:0\nok\n");
  spec.linux.devices[0].uid = 100'000;
  expect_failure(spec, EINVAL, "linux.devices: /dev/fuse: its owner is not mapped");
}

TEST_F(SpecMountsTest, RefusesDevicesThatMakeNoSense) {
  auto spec = shell("true");
  spec.linux.devices = {{.type = "x", .path = "/dev/a"}};
  expect_failure(spec, EINVAL, "linux.devices: /dev/a: unknown type 'x'");
  spec.linux.devices = {{.type = "c", .path = "dev/a"}};
  expect_failure(spec, EINVAL, "not the absolute path of a node");
  spec.linux.devices = {{.type = "c", .path = "/dev/../a"}};
  expect_failure(spec, EINVAL, "not the absolute path of a node");
  spec.linux.devices = {{.type = "c", .path = "/dev/a", .major = 1, .minor = -1}};
  expect_failure(spec, EINVAL, "number out of range");
  spec.linux.devices = {{.type = "c", .path = "/dev/null", .major = 1, .minor = 5}};
  expect_failure(spec, EEXIST, "create /dev/null");
  spec.linux.devices = {{.type = "c", .path = "/etc", .major = 1, .minor = 5}};
  expect_failure(spec, EEXIST, "create /etc");
}

}  // namespace
}  // namespace strata::linux
