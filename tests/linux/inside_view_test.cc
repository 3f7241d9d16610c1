// The same configuration run by runc and by crun: what a program sees inside must be the same, but
// for what is named here.
//
//   cgroup mounts    ours shows the hierarchies in which the container has a cgroup of its own;
//                    the others mount every v1 hierarchy, and none of them the v2 tree of a hybrid
//                    host
//   masked paths     ours uses one tmpfs for all; crun's /dev/null is the host's
//   HOME             set by runc and crun from the image's passwd; ours leaves that to who knows
//                    about users
//   user namespaces  runc makes the message queues before it takes its group, so that they have
//   none crun             clears nosuid, nodev and noexec on the read-only paths; makes /dev/core
//   even
//                    where there is no /proc/kcore

#include <algorithm>
#include <filesystem>
#include <map>
#include <sstream>

#include <gmock/gmock.h>

#include "runtime/linux/seccomp_compile.h"
#include "tests/linux/container_fixture.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

namespace fs = std::filesystem;
using ::testing::IsSupersetOf;

constexpr const char* kLook = R"(
echo == mounts
sed 's/ shared:[0-9]*//; s/ master:[0-9]*//' /proc/self/mountinfo |
  while read id parent dev root target options dash type source super; do
    echo "$target $root $options $type $super"
  done | sort
echo == status
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Sig|Shd|Umask|THP|Cpus_allowed|Threads)' /proc/self/status
echo == limits
cat /proc/self/limits
echo == dev
cd /dev
for f in $(find . | sort); do stat -c '%n %F %t:%T %a %u:%g' $f; done
for l in ptmx fd stdin stdout stderr; do readlink $l; done
echo == environment
env | sort
echo == process
id; pwd; hostname; cat /proc/self/oom_score_adj
cut -d: -f1 /proc/net/dev; cut -d: -f2- /proc/self/cgroup
cut -d' ' -f4-6 /proc/1/stat; ls /proc/$$/fd
for n in /proc/self/ns/*; do readlink $n | cut -d: -f1; done
stat -c '%a %u:%g' /dev/shm /dev/mqueue /dev/pts /dev /proc /sys
)";

// The lines of each section.
using View = std::map<std::string, std::vector<std::string>>;

View sections_of(const std::string& text) {
  View view;
  std::string section;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("== "))
      section = line.substr(3);
    else
      view[section].push_back(line);
  }
  return view;
}

// Without what differs by design.
View comparable(View view) {
  auto& mounts = view["mounts"];
  std::erase_if(mounts, [](const auto& line) {
    return line.starts_with("/ ") || line.starts_with("/sys/fs/cgroup");
  });
  for (auto& line : mounts)
    if (const auto at = line.find(",nr_inodes=1"); at != std::string::npos) line.resize(at);
  // glibc's posix_spawn leaves its own two signals ignored in what it starts; ours resets them.
  // SigQ counts the signals queued for the user on the whole host at that moment.
  std::erase_if(view["status"], [](const auto& line) {
    return line.starts_with("SigIgn:") || line.starts_with("SigQ:");
  });
  std::erase_if(view["dev"], [](const auto& line) { return line.starts_with("./core "); });
  std::erase_if(view["environment"], [](const auto& line) { return line.starts_with("HOME="); });
  return view;
}

std::vector<std::string> first_words(const std::vector<std::string>& lines) {
  std::vector<std::string> words;
  words.reserve(lines.size());
  for (const auto& line : lines) words.push_back(line.substr(0, line.find(' ')));
  return words;
}

class InsideViewTest : public ContainerTest {
 protected:
  void SetUp() override {
    ContainerTest::SetUp();
    if (!cgroup_) return;
    for (const char* applet : {"sed", "env"})
      if (!fs::exists(root_ / "bin" / applet))
        fs::create_symlink("busybox", root_ / "bin" / applet);
    with_seccomp_ = false;
  }

  static oci::Spec changed(oci::Spec spec) {
    spec.hostname = "box";
    spec.process.user = {.uid = 12, .gid = 34, .additional_gids = {34, 56}};
    spec.process.cwd = "/tmp";
    spec.process.env.emplace_back("A=b");
    spec.process.rlimits = {{"RLIMIT_NOFILE", 100, 200}};
    spec.process.no_new_privileges = true;
    spec.process.oom_score_adj = 100;
    spec.process.capabilities.inheritable = {"CAP_KILL"};
    spec.process.capabilities.ambient = {"CAP_KILL"};
    spec.mounts.push_back({"/tmp", "tmpfs", "tmpfs", {"nosuid", "mode=1777", "size=1m"}});
    return spec;
  }

  // Mounts with options of every kind, nodes, a filter.
  oci::Spec with_mounts_and_devices() {
    temp_.write("volume/below/file", "x");
    temp_.write("root/srv/file", "content");
    auto spec = changed(shell(kLook));
    const std::string volume = temp_ / "volume";
    spec.mounts.push_back({"/srv", "tmpfs", "tmpfs", {"tmpcopyup", "nosuid", "size=1m"}});
    spec.mounts.push_back({"/opt", "bind", volume, {"bind", "ro", "noatime", "nodev"}});
    spec.mounts.push_back({"/mnt", "none", volume, {"rbind", "rro", "rnoexec"}});
    spec.linux.devices = {
        {.type = "c", .path = "/dev/fuse", .major = 10, .minor = 229, .file_mode = 0640, .uid = 5},
        {.type = "c", .path = "/dev/net/tun", .major = 10, .minor = 200, .file_mode = 0666},
        {.type = "p", .path = "/dev/pipe", .file_mode = 0600}};
    spec.linux.seccomp = {
        .default_action = "SCMP_ACT_ALLOW",
        .architectures = {"SCMP_ARCH_X86_64"},
        .syscalls = {{.names = {"kexec_load"}, .action = "SCMP_ACT_ERRNO", .errno_ret = 38}}};
    return spec;
  }

  oci::Spec with_user_namespace() {
    auto spec = shell(std::string(kLook) +
                      "\necho == maps\ncat /proc/self/[ug]id_map; touch /made; "
                      "stat -c '%u %g' /made");
    spec.linux.namespaces.push_back({"user", ""});
    spec.linux.uid_mappings = {{0, 200'000, 1000}, {1000, 300'000, 1000}};
    spec.linux.gid_mappings = {{0, 210'000, 65536}};
    spec.process.user = {.uid = 0, .gid = 0, .additional_gids = {7}};
    spec.process.rlimits = {{"RLIMIT_NOFILE", 100, 200}};
    spec.process.oom_score_adj = 200;
    for (const char* name : {"proc", "sys", "dev"}) fs::create_directories(root_ / name);
    give_root_to(200'000);
    for (auto path = root_; path != "/"; path = path.parent_path())  // it has to find its root
      fs::permissions(path, fs::perms::others_exec, fs::perm_options::add);
    return spec;
  }

  // As a bundle, in a mount namespace where crun does not meet the v2 tree that it can't handle.
  Completed run_by(const std::string& runtime, oci::Spec spec) {
    spec.root.path = root_;
    spec.linux.cgroups_path = "/strata-test-peer-" + std::to_string(::getpid());
    temp_.write("bundle/config.json", oci::to_json(spec));
    return testing::run({"unshare", "--mount", "sh", "-c",
                         "umount /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\"", "sh", runtime,
                         "--root", temp_ / "state", "run", "--bundle", temp_ / "bundle",
                         "strata-test-" + std::to_string(::getpid())});
  }

  View ours(const oci::Spec& spec) { return sections_of(run(spec).out); }
  View theirs(const std::string& runtime, const oci::Spec& spec) {
    const auto done = run_by(runtime, spec);
    EXPECT_EQ(done.status, 0) << done.err;
    return sections_of(done.out);
  }
};

TEST_F(InsideViewTest, IsThatOfRunc) {
  STRATA_NEEDS_PROGRAM("runc");
  for (const auto& spec : {shell(kLook), changed(shell(kLook))}) {
    const View mine = comparable(ours(spec));
    const View other = comparable(theirs("runc", spec));
    EXPECT_EQ(mine.size(), 6U);
    for (const auto& [section, lines] : mine) EXPECT_EQ(lines, other.at(section)) << section;
  }
}

TEST_F(InsideViewTest, IsThatOfCrunButForMountOptions) {
  STRATA_NEEDS_PROGRAM("crun");
  for (const auto& spec : {shell(kLook), changed(shell(kLook))}) {
    View mine = comparable(ours(spec));
    View other = comparable(theirs("crun", spec));
    EXPECT_EQ(first_words(mine["mounts"]), first_words(other["mounts"]));
    mine.erase("mounts");
    for (const auto& [section, lines] : mine) EXPECT_EQ(lines, other.at(section)) << section;
  }
}

TEST_F(InsideViewTest, OfMountsAndDevicesIsThatOfRuncAndCrun) {
  const auto spec = with_mounts_and_devices();
  STRATA_ASSERT_OK(const auto filter, compile_seccomp(*spec.linux.seccomp));
  filter_ = filter.program;
  View mine = comparable(ours(spec));
  for (const char* runtime : {"runc", "crun"}) {
    STRATA_NEEDS_PROGRAM(runtime);
    View other = comparable(theirs(runtime, spec));
    if (std::string_view(runtime) == "crun") other["mounts"] = mine["mounts"];
    for (const auto& [section, lines] : mine)
      EXPECT_THAT(lines, ::testing::ElementsAreArray(other.at(section)))
          << section << " of " << runtime;
  }
}

TEST_F(InsideViewTest, OfAUserNamespaceIsThatOfRuncAndCrun) {
  const auto spec = with_user_namespace();
  View mine = comparable(ours(spec));
  // Theirs binds the host's nodes, which nobody owns there; ours makes them for the container.
  mine.erase("mounts");
  mine.erase("dev");
  EXPECT_EQ(mine["maps"].back(), "0 0");
  for (const char* runtime : {"runc", "crun"}) {
    STRATA_NEEDS_PROGRAM(runtime);
    fs::remove(root_ / "made");
    View other = comparable(theirs(runtime, spec));
    for (auto& line : other["process"])
      if (line == "1777 0:65534") line = "1777 0:0";
    for (const auto& [section, lines] : mine)
      EXPECT_THAT(lines, ::testing::ElementsAreArray(other.at(section)))
          << section << " of " << runtime;
  }
}

TEST_F(InsideViewTest, CgroupsAreAmongThoseOfRunc) {
  STRATA_NEEDS_PROGRAM("runc");
  const auto spec = shell("grep cgroup /proc/self/mountinfo | cut -d' ' -f 4-6");
  auto mine = sections_of(run(spec).out)[""];
  auto other = sections_of(run_by("runc", spec).out)[""];
  std::erase_if(mine, [](const auto& line) { return line.find("/unified ") != std::string::npos; });
  const auto is_top = [](const auto& line) { return line.find("cgroup rw") != std::string::npos; };
  std::erase_if(other, is_top);  // runc leaves the tmpfs over the hierarchies writable
  std::erase_if(mine,
                [](const auto& line) { return line.find("/cgroup ro") != std::string::npos; });
  EXPECT_GE(mine.size(), 3U);
  EXPECT_THAT(other, IsSupersetOf(mine));
}

}  // namespace
}  // namespace strata::linux
