// Escapes by way of what the runtime mounts over, or writes to, files of /proc.

#include "tests/bundle/escapes/escape_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class ProcFileEscapesTest : public EscapeTest {
 protected:
  static void without_mount(Json& config, const char* destination) {
    std::erase_if(config["mounts"].get_ref<Json::array_t&>(), [&](const Json& mount) {
      return mount["destination"].get<std::string>().starts_with(destination);
    });
  }
};

// Files are masked with /dev/null: where the container had put a link in its place, the mask was
// what the link led to, as a writable mount, e.g. of /proc/sys/kernel/core_pattern.
// Here the mask is looked at by its descriptor before it is mounted: it is that device, or there is
// no container.
TEST_F(ProcFileEscapesTest, Cve_2025_31133) {
  temp_.write("bundle/rootfs/secret", "secret");
  const auto config_with = [&](const std::string& script) {
    write_shell(script, [&](Json& config) {
      without_mount(config, "/dev");
      config["mounts"].push_back({{"destination", "/dev"},
                                  {"type", "bind"},
                                  {"source", temp_ / "dev"},
                                  {"options", {"rbind"}}});
      config["linux"]["maskedPaths"] = {"/secret"};
    });
  };
  fs::create_directory(temp_ / "dev");
  for (const char* target : {"/proc/sys/kernel/core_pattern", "/etc/file", "/dev/zero"}) {
    fs::remove(temp_ / "dev/null");
    fs::create_symlink(target, temp_ / "dev/null");
    temp_.write("bundle/rootfs/etc/file", "planted");
    config_with("echo ran; cat /secret; grep ' /secret ' /proc/self/mountinfo");
    EXPECT_NE(oci({"run", "c1"}).status, 0) << target;
  }
  // As a race, with the device in one of the two places.
  fs::remove(temp_ / "dev/null");
  ASSERT_EQ(testing::run({"mknod", temp_ / "dev/null", "c", "1", "3"}).status, 0);
  fs::create_symlink("/proc/sys/kernel/core_pattern", temp_ / "dev/link");
  config_with("grep ' /secret ' /proc/self/mountinfo; cat /secret; echo ran");
  const Swapper swapper(temp_ / "dev/null", temp_ / "dev/link");
  int through = 0;
  for (int i = 0; i < 100; ++i) {
    const auto done = oci({"run", "c1"});
    EXPECT_THAT(done.out, Not(HasSubstr("core_pattern")));
    EXPECT_THAT(done.out, Not(HasSubstr("secret\n")));
    through += done.out.find("ran") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(through, 0);
}

// /dev/console was bound from the name of the terminal's slave, /dev/pts/N, after the masks were
// made: with a link there the container had a writable file of /proc in its place.
// Here the slave is opened by its master (TIOCGPTPEER) and bound by descriptor, and no link is
// followed in the console's place.
TEST_F(ProcFileEscapesTest, Cve_2025_52565) {
  const std::string look =
      "grep -E ' /dev/(console|pts/0) | /proc/sys' /proc/self/mountinfo; "
      "(echo x > /proc/sys/kernel/domainname) 2>/dev/null && echo written; test -t 0 && echo tty";
  fs::create_directory(temp_ / "dev");
  const auto with_terminal = [&](Json& config) {
    config["process"]["terminal"] = true;
    without_mount(config, "/dev/pts");
    without_mount(config, "/dev");
    config["mounts"].push_back({{"destination", "/dev"},
                                {"type", "bind"},
                                {"source", temp_ / "dev"},
                                {"options", {"rbind"}}});
    config["mounts"].push_back({{"destination", "/dev/pts"},
                                {"type", "devpts"},
                                {"source", "devpts"},
                                {"options", {"newinstance", "ptmxmode=0666", "mode=0620"}}});
    config["linux"].erase("maskedPaths");
  };
  fs::create_directory(temp_ / "dev/pts");
  for (const char* target : {"/proc/sys/kernel/domainname", "/proc/sysrq-trigger"}) {
    fs::remove(temp_ / "dev/console");
    fs::create_symlink(target, temp_ / "dev/console");
    write_shell(look, with_terminal);
    const auto done = oci({"run", "c1"});
    EXPECT_THAT(done.out, Not(HasSubstr(" " + std::string(target) + " "))) << done.out;
    EXPECT_THAT(done.out, Not(HasSubstr("written")));
  }
  // The slave's place: a directory of the container's, with a link where the name would be.
  fs::remove(temp_ / "dev/console");
  fs::create_symlink("/proc/sys/kernel/domainname", temp_ / "dev/pts/0");
  write_shell(look, [&](Json& config) {
    with_terminal(config);
    without_mount(config, "/dev/pts");
  });
  EXPECT_NE(oci({"run", "c1"}).status, 0);
}

// What is written to files of /proc (labels, sysctls) was led elsewhere by a /proc that was not
// one, or by mounts over its files: a sysctl's text to a file that the host then acts on. Here a
// sysctl is written by a descriptor that no link and no mount has led to, in a procfs.
TEST_F(ProcFileEscapesTest, Cve_2025_52881) {
  const auto setting = [](Json& config) {
    config["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "1"}};
  };
  const Json canary = {{"destination", "/stolen"},
                       {"type", "bind"},
                       {"source", canary_},
                       {"options", {"bind", "rw"}}};
  // No procfs at all, and a link to a file of the host's.
  fs::create_directories(rootfs_ / "proc/sys/net/ipv4");
  fs::create_symlink("/stolen", rootfs_ / "proc/sys/net/ipv4/ip_forward");
  write_shell("echo ran", [&](Json& config) {
    setting(config);
    without_mount(config, "/proc");
    config["mounts"].push_back(canary);
  });
  const auto done = oci({"run", "c1"});
  EXPECT_NE(done.status, 0);
  EXPECT_THAT(done.err, HasSubstr("ip_forward"));
  EXPECT_EQ(read_file(canary_).value_or("?"), kSecret);
  // A file of another procfs over the right one.
  fs::remove_all(rootfs_ / "proc/sys");
  fs::create_directory(rootfs_ / "other");
  write_shell("echo ran", [&](Json& config) {
    setting(config);
    config["mounts"].push_back({{"destination", "/proc/sys/net"},
                                {"type", "bind"},
                                {"source", "/proc/sys/net"},
                                {"options", {"rbind", "rw"}}});
  });
  EXPECT_NE(oci({"run", "c1"}).status, 0);
  write_shell("cat /proc/sys/net/ipv4/ip_forward", setting);
  EXPECT_EQ(ok({"run", "c1"}), "1\n");
}

}  // namespace
}  // namespace strata::bundle
