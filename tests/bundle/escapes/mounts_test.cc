// Escapes by way of mount points that another container, with the same volume, changes meanwhile.

#include <sys/mount.h>

#include "tests/bundle/escapes/escape_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class MountEscapesTest : public EscapeTest {
 protected:
  void SetUp() override {
    EscapeTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    temp_.write("volume/file", "of the volume");
  }

  static Json bind(const fs::path& source, const std::string& destination) {
    return {{"destination", destination},
            {"type", "bind"},
            {"source", source},
            {"options", {"rbind", "rw"}}};
  }

  // `rounds` runs, of which some must have come through.
  void race(int rounds, const std::function<void(const Completed&)>& check) {
    int through = 0;
    for (int i = 0; i < rounds; ++i) {
      const auto done = oci({"run", "c1"});
      check(done);
      through += done.status == 0 ? 1 : 0;
    }
    EXPECT_GT(through, 0);
  }

  const fs::path volume_ = temp_.path() / "volume";
};

// A volume whose destination is below another volume was mounted through a link that a second
// container put there after it was checked: onto the host's directories, and the next volume was
// bound from them.
// Here a mount point is opened inside the root (openat2, RESOLVE_IN_ROOT) and the mount goes to
// that descriptor (move_mount), whatever its name has become.
TEST_F(MountEscapesTest, Cve_2021_30465) {
  fs::create_directories(volume_ / "point");
  plant_absolute_link(volume_ / "link");
  write_shell(
      "cat /vol/point/* /vol/point/below/* 2>/dev/null; "
      "echo mounts $(grep -cE ' /vol|" +
          host_.string() + "' /proc/self/mountinfo)",
      [&](Json& config) {
        config["mounts"].push_back(bind(volume_, "/vol"));
        config["mounts"].push_back(bind(volume_, "/vol/point"));
        config["mounts"].push_back(
            {{"destination", "/vol/point/below"}, {"type", "tmpfs"}, {"source", "tmpfs"}});
      });
  const Swapper swapper(volume_ / "point", volume_ / "link");
  race(80, [](const Completed& done) {
    EXPECT_THAT(done.out, Not(HasSubstr(kSecret)));
    // Both are inside, wherever the link leads there.
    if (done.status == 0) {
      EXPECT_THAT(done.out, HasSubstr("mounts 3")) << done.err;
    }
  });
}

// The directories and files of a missing mount point were made by name, and so through a link that
// had meanwhile been put there: empty ones of the attacker's naming on the host.
// Here each is made in a directory that is open and inside of the root.
TEST_F(MountEscapesTest, Cve_2024_45310) {
  fs::create_directories(volume_ / "a");
  plant_absolute_link(volume_ / "link");
  write_shell("true", [&](Json& config) {
    config["mounts"].push_back(bind(volume_, "/vol"));
    config["mounts"].push_back(bind(volume_ / "file", "/vol/a/made/file"));
    config["mounts"].push_back(bind(volume_, "/vol/a/made/directory"));
    config["linux"]["devices"] = {
        {{"path", "/vol/a/made/node"}, {"type", "p"}, {"fileMode", 0600}}};
  });
  const Swapper swapper(volume_ / "a", volume_ / "link");
  race(80, [&](const Completed&) {
    EXPECT_EQ(std::distance(fs::directory_iterator(host_), {}), 1);
    std::error_code ec;
    fs::remove_all(volume_ / "a/made", ec);
  });
}

// With /proc as a link in a shared volume, the masked and read-only paths were those of another
// place, and the container had the host's whole procfs.
// Here /proc must be a directory (openat2, RESOLVE_NO_SYMLINKS) at the moment of mounting, and the
// paths below it are then looked up in what is mounted there.
TEST_F(MountEscapesTest, Cve_2019_19921) {
  fs::create_directories(rootfs_ / "elsewhere");
  fs::create_directory_symlink("elsewhere", rootfs_ / "link");
  write_shell(
      "for p in /proc /elsewhere; do "
      "test -e $p/self/status || continue; "
      "cat $p/timer_list $p/keys 2>/dev/null | grep -q . && echo unmasked $p; "
      "(echo x > $p/sys/kernel/domainname) 2>/dev/null && echo writable $p; done; echo looked");
  const Swapper swapper(rootfs_ / "proc", rootfs_ / "link");
  race(80, [](const Completed& done) {
    EXPECT_THAT(done.out, Not(AnyOf(HasSubstr("unmasked"), HasSubstr("writable"))));
    if (done.status == 0) {
      EXPECT_THAT(done.out, HasSubstr("looked"));
    }
  });
}

// The same once more, by a check of /proc's place that a later version had lost.
// Here it is the one lookup that mounts, so that there is no check to lose.
TEST_F(MountEscapesTest, Cve_2023_27561) {
  for (const char* target : {"/tmp", "tmp", "/tmp/../tmp", "/proc/../tmp", "./sys", "/nowhere"}) {
    for (const char* place : {"proc", "sys"}) {
      fs::remove_all(rootfs_ / place);
      fs::create_directory_symlink(target, rootfs_ / place);
      write_shell("echo ran");
      const auto done = oci({"run", "c1"});
      EXPECT_NE(done.status, 0) << place << " -> " << target;
      EXPECT_THAT(done.err, HasSubstr(std::string("on /") + place)) << done.err;
      fs::remove(rootfs_ / place);
      fs::create_directory(rootfs_ / place);
    }
  }
}

// AppArmor's and SELinux's labels are written to files of /proc: with a link there in the image the
// write went to a file of the image, and the container ran without confinement.
// Here labels are written while /proc is the host's; and /proc is no link (see the one before).
TEST_F(MountEscapesTest, Cve_2023_28642) {
  temp_.write("bundle/rootfs/fake/self/attr/exec", "");
  temp_.write("bundle/rootfs/fake/self/attr/apparmor/exec", "");
  temp_.write("bundle/rootfs/fake/self/oom_score_adj", "");
  fs::remove_all(rootfs_ / "proc");
  fs::create_directory_symlink("fake", rootfs_ / "proc");
  write_shell("cat /fake/self/attr/exec /fake/self/oom_score_adj", [](Json& config) {
    config["process"]["oomScoreAdj"] = 321;
    std::erase_if(config["mounts"].get_ref<Json::array_t&>(),
                  [](const Json& mount) { return mount["destination"] == "/proc"; });
    for (const char* paths : {"maskedPaths", "readonlyPaths"}) config["linux"].erase(paths);
  });
  const auto done = oci({"run", "c1"});
  EXPECT_EQ(done.out, "") << "a label or score was written to the image";
  EXPECT_EQ(done.status, 0) << done.err;
}

// An image whose volume is /proc, or below it, had a directory of its own there, with files for the
// runtime to write labels to.
// Here nothing but a procfs is mounted on /proc, and below it only what emulates some of its files.
TEST_F(MountEscapesTest, Cve_2019_16884) {
  temp_.write("volume/self/attr/exec", "");
  temp_.write("meminfo", "MemTotal: 1 kB\n");
  for (const char* destination : {"/proc", "/proc/", "/proc/self", "/proc/self/attr", "/proc/sys",
                                  "proc/1", "/./proc//sys/kernel"}) {
    write_shell("true",
                [&](Json& config) { config["mounts"].push_back(bind(volume_, destination)); });
    const auto done = oci({"run", "c1"});
    EXPECT_NE(done.status, 0) << destination;
    EXPECT_THAT(done.err, HasSubstr("only a procfs may be there")) << destination;
  }
  fs::create_directory_symlink("/proc", rootfs_ / "other");
  fs::create_directory_symlink("/proc/sys", rootfs_ / "settings");
  for (const char* destination : {"/other", "/other/self/attr", "/settings"}) {
    write_shell("true",
                [&](Json& config) { config["mounts"].push_back(bind(volume_, destination)); });
    EXPECT_THAT(oci({"run", "c1"}).err, HasSubstr("only a procfs may be there")) << destination;
  }
  write_shell("cat /proc/meminfo", [&](Json& config) {
    config["mounts"].push_back(bind(temp_ / "meminfo", "/proc/meminfo"));
  });
  EXPECT_EQ(ok({"run", "c1"}), "MemTotal: 1 kB\n");
}

}  // namespace
}  // namespace strata::bundle
