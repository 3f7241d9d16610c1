// Escapes by way of the runtime's own processes: what they have open, what they run from, what they
// hand on.

#include <fcntl.h>

#include <fstream>

#include "tests/bundle/escapes/escape_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class ProcessEscapesTest : public EscapeTest {
 protected:
  static void add_capability(Json& config, const char* name) {
    for (const char* set : {"bounding", "effective", "permitted"})
      config["process"]["capabilities"][set].push_back(name);
  }
  // Puts the container into the pid namespace of the watcher.
  void beside_watcher(Json& config) {
    for (auto& ns : config["linux"]["namespaces"])
      if (ns["type"] == "pid")
        ns["path"] = "/proc/" + std::to_string(state("watcher").value("pid", 0)) + "/ns/pid";
    config["linux"]["cgroupsPath"] = cgroup_ + "/beside";
  }
};

// A program on its way into a container could be traced there while it was still the host's: with
// its root, its working directory and its descriptors.
// Here it enters the namespaces first, has none of the host's descriptors any more when it appears
// among the container's processes, and is not dumpable until it is the container's own program.
TEST_F(ProcessEscapesTest, Cve_2016_9962) {
  start_watcher([](Json& config) { add_capability(config, "CAP_SYS_PTRACE"); });
  // Whoever runs from another file than the container's is killed by the watcher, as it may.
  for (int i = 0; i < 60; ++i) (void)oci({"exec", "watcher", "/bin/true"});
  EXPECT_EQ(stop_watcher(), "");
}

// The runtime's own program, found by /proc/self/exe as the program to be run, could be opened from
// within and overwritten as soon as nobody ran it any more.
// Here what enters a container runs from a read-only mount that is nowhere to be seen.
TEST_F(ProcessEscapesTest, Cve_2019_5736) {
  temp_.write("bundle/rootfs/bin/trap", "#!/proc/self/exe\n");
  fs::permissions(rootfs_ / "bin/trap", fs::perms::all);
  fs::create_symlink("/proc/self/exe", rootfs_ / "bin/link");
  start_watcher();
  for (int i = 0; i < 10; ++i)
    for (const char* program : {"/proc/self/exe", "/bin/link", "/bin/trap"})
      (void)oci({"exec", "watcher", program, "features"});
  for (const char* program : {"/proc/self/exe", "/bin/link", "/bin/trap"}) {
    write_config({program, "features"}, [&](Json& config) { beside_watcher(config); });
    for (int i = 0; i < 10; ++i) (void)oci({"run", "c1"});
    for (int i = 0; i < 5; ++i) {
      (void)oci({"create", "c1"});
      (void)oci({"start", "c1"});
      ok({"delete", "--force", "c1"});
    }
  }
  write_config({"true"}, [&](Json& config) {
    beside_watcher(config);
    config["hooks"]["startContainer"] = {{{"path", "/bin/link"}, {"args", {"link", "features"}}}};
  });
  for (int i = 0; i < 10; ++i) (void)oci({"run", "c1"});
  EXPECT_EQ(stop_watcher(), "");
}

// The working directory /proc/self/fd/N led through a directory that the runtime had left open, and
// out.
// Here all descriptors are closed before, and a working directory out of the root is refused.
TEST_F(ProcessEscapesTest, Cve_2024_21626) {
  const std::string look = "pwd; cat " + way_up_to_canary().substr(1);
  const auto leads_out = [&](const Completed& done) {
    return done.out.find(kSecret) != std::string::npos ||
           done.out.find("unreachable") != std::string::npos;
  };
  const auto opened = open_file("/", O_RDONLY | O_DIRECTORY);  // what a careless engine left
  ASSERT_TRUE(opened);
  const UniqueFd leaked(::fcntl(opened->get(), F_DUPFD, 20));
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  const std::string own_cgroup = cgroup_;
  for (int fd = 3; fd < 24; ++fd) {
    const std::string cwd = "/proc/self/fd/" + std::to_string(fd);
    EXPECT_FALSE(leads_out(oci({"exec", "--cwd", cwd, "c1", "sh", "-c", look}))) << cwd;
    write_shell(look, [&](Json& config) {
      config["process"]["cwd"] = cwd;
      config["linux"]["cgroupsPath"] = own_cgroup + "/other";
    });
    EXPECT_FALSE(leads_out(oci({"run", "c2"}))) << cwd;
    EXPECT_FALSE(leads_out(oci({"run", "--preserve-fds", "30", "c2"}))) << cwd;
    EXPECT_FALSE(
        leads_out(oci({"exec", "--preserve-fds", "30", "--cwd", cwd, "c1", "sh", "-c", look})))
        << cwd;
  }
  // The program itself, by the same way.
  write_config({"/proc/self/fd/7/../../../../../../../../bin/sh", "-c", "cat " + canary_.string()},
               [&](Json& config) { config["linux"]["cgroupsPath"] = own_cgroup + "/other"; });
  EXPECT_FALSE(leads_out(oci({"run", "c2"})));
}

// Capabilities given to a program by `exec --cap` were inheritable, too, so that a program with
// inheritable file capabilities got them although its user should not have any.
// Here --cap changes no inheritable set.
TEST_F(ProcessEscapesTest, Cve_2022_29162) {
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  const auto seen =
      ok({"exec", "--cap", "CAP_NET_ADMIN", "c1", "grep", "Cap", "/proc/self/status"});
  EXPECT_THAT(seen, HasSubstr("CapInh:\t0000000000000000\n"));
  EXPECT_THAT(seen, HasSubstr("CapAmb:\t0000000000000000\n"));
  EXPECT_THAT(seen, HasSubstr("CapEff:\t0000000020001420\n"));  // and it was given
}

// The release_agent of a v1 hierarchy, which the host runs as root, could be set from a cgroup
// namespace of the container's own making.
// Here the hierarchies are read-only mounts of the container's own cgroups, none of which has that
// file, and nothing lets the container mount another.
TEST_F(ProcessEscapesTest, Cve_2022_0492) {
  for (const char* applet : {"mount", "unshare", "find", "mkdir", "umount"})
    fs::create_symlink("busybox", rootfs_ / "bin" / applet);
  const std::string agent = canary_.string();
  write_shell(
      "try() { mkdir -p /tmp/c; for o in memory pids devices cpu none,name=evil; do\n"
      "  mount -t cgroup -o $o x /tmp/c && echo mounted $o;\n"
      "  for f in $(find /tmp/c /sys/fs/cgroup -name release_agent -o -name notify_on_release); "
      "do\n"
      "    echo " +
      agent +
      " > $f && echo wrote $f; done; umount /tmp/c; done\n"
      "  mkdir /sys/fs/cgroup/*/made && echo made; }\n"
      "try; mount -o remount,rw /sys/fs/cgroup/memory && echo remounted\n"
      "unshare -UrmC /bin/sh -c \"$(echo \"mkdir -p /tmp/d; mount -t cgroup -o memory x /tmp/d && "
      "echo mounted; echo x > /tmp/d/release_agent && echo wrote\")\"; exit 0");
  const auto seen = oci({"run", "c1"});
  EXPECT_EQ(seen.status, 0) << seen.err;
  for (const char* word : {"mounted", "wrote", "made", "remounted"})
    EXPECT_THAT(seen.out, Not(HasSubstr(word)));
}

}  // namespace
}  // namespace strata::bundle
