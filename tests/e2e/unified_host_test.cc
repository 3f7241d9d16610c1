// Our programs on a host of another kind than the one that runs the tests: Debian's own kernel with
// cgroup v2 and nothing else, as Debian installs it. The host is a virtual machine; its image holds
// busybox, the static programs, a bundle and a store.

#include <filesystem>
#include <map>

#include <gmock/gmock.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using testing::own_program;
using testing::run;
using ::testing::StartsWith;

// What the guest does, in sections of its output.
constexpr const char* kScript = R"(
export PATH=/opt:/bin STRATA_ROOT=/tmp/store
mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /tmp && cp -a /store /tmp/store
echo "== oci run"
strata-oci run --bundle /bundle/short short
echo "status $?"
echo "== oci life"
strata-oci run --detach --bundle /bundle/long long
for verb in state pause state resume "update --memory 33554432" state; do
  set -- $verb
  strata-oci "$@" long | grep '"status"'
done
cat /sys/fs/cgroup/long/memory.max
strata-oci exec long cat /proc/self/cgroup
strata-oci events --stats long
strata-oci ps -f json long | tr -d '[]' | wc -w
strata-oci delete --force long
echo "== strata run"
strata run --rm --memory 32m --pids-limit 20 --cpus 0.5 box:1 \
  sh -c 'cat /proc/self/cgroup; cd /sys/fs/cgroup; cat memory.max pids.max cpu.max'
echo "status $?"
echo "== strata life"
strata run -d --name long box:1 sleep 100 >/dev/null
strata exec long cat /proc/self/cgroup
strata stop -t 1 long
strata rm long
echo "== left behind"
find /sys/fs/cgroup -mindepth 2 -type d
ls /run/strata-oci /tmp/store/containers
)";

constexpr const char* kInside = R"(cat /proc/self/cgroup
cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max
head -c 3 /dev/zero | wc -c
mknod /disk b 254 0 && head -c 1 /disk
mknod /tty c 4 1 && echo x > /tty)";

class UnifiedHost : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    for (const char* program : {"apt-get", "busybox", "mkfs.erofs", "qemu-system-x86_64", "tar"})
      STRATA_NEEDS_PROGRAM(program);
#ifdef STRATA_SANITIZE
    GTEST_SKIP() << "programs with sanitizers are not static, and the guest has no libraries";
#endif
  }

  void make_busybox(const std::filesystem::path& root) {
    std::filesystem::create_directories(root / "bin");
    for (const char* name : {"dev", "etc", "proc", "run", "sys", "tmp"})
      std::filesystem::create_directories(root / name);
    std::filesystem::copy_file(*find_program("busybox"), root / "bin/busybox");
    for (const char* name : {"cat", "cp", "echo", "find", "grep", "head", "ls", "mknod", "mount",
                             "sh", "sleep", "tr", "wc"})
      std::filesystem::create_symlink("busybox", root / "bin" / name);
  }

  void strata_image(const std::filesystem::path& store, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {own_program("strata-image"), "--root", store});
    const auto done = run(arguments);
    ASSERT_EQ(done.status, 0) << done.err;
  }

  void import(const std::filesystem::path& store, const std::filesystem::path& root,
              const std::string& name) {
    const auto tar = dir_ / "import.tar";
    ASSERT_EQ(run({"tar", "-C", root, "-cf", tar, "."}).status, 0);
    strata_image(store, {"import", tar, name});
  }

  // A configuration for the root file system at /bundle/rootfs of the guest.
  void write_config(const std::filesystem::path& bundle, const std::vector<std::string>& args) {
    std::filesystem::create_directories(bundle);
    const auto written = run({own_program("strata-oci"), "spec", "--bundle", bundle});
    ASSERT_EQ(written.status, 0) << written.err;
    STRATA_ASSERT_OK(const auto text, read_file(bundle / "config.json"));
    STRATA_ASSERT_OK(Json config, parse_json(text, "config.json"));
    config["root"] = {{"path", "/bundle/rootfs"}, {"readonly", false}};
    config["process"]["terminal"] = false;
    config["process"]["args"] = args;
    for (const char* set : {"bounding", "effective", "permitted"})
      config["process"]["capabilities"][set] = {"CAP_MKNOD"};
    config["linux"]["resources"] = {{"devices", {{{"allow", false}, {"access", "rwm"}}}},
                                    {"memory", {{"limit", 64 << 20}}},
                                    {"pids", {{"limit", 50}}},
                                    {"cpu", {{"quota", 50'000}, {"period", 100'000}}}};
    write(bundle / "config.json", config.dump());
  }

  static void write(const std::filesystem::path& file, const std::string& text) {
    ASSERT_THAT(write_file_atomic(file, text, Durability::kAtomic), testing::IsOk());
  }

  testing::TempDir dir_;
};

std::map<std::string, std::string> sections(const std::string& output) {
  std::map<std::string, std::string> found;
  std::string name;
  for (size_t at = 0; at < output.size();) {
    const auto end = std::min(output.find('\n', at), output.size() - 1) + 1;
    const auto line = output.substr(at, end - at);
    at = end;
    if (line.starts_with("== "))
      name = line.substr(3, line.size() - 4);
    else
      found[name] += line;
  }
  return found;
}

TEST_F(UnifiedHost, RunsContainersWithLimitsAndDeviceRulesAndLeavesNothing) {
  const auto guest = dir_ / "guest";
  make_busybox(guest);
  std::filesystem::create_directories(guest / "opt");
  for (const char* name : {"strata", "strata-oci"})
    std::filesystem::copy_file(own_program(name), guest / "opt" / name);
  make_busybox(guest / "bundle/rootfs");
  write_config(guest / "bundle/short", {"sh", "-c", kInside});
  write_config(guest / "bundle/long", {"sleep", "100"});
  import(guest / "store", guest / "bundle/rootfs", "box:1");
  write(guest / "opt/test.sh", kScript);

  const auto store = dir_ / "store";
  import(store, guest, "guest:1");
  const auto kernel = run({own_program("strata-vm"), "--root", store, "kernel", "--fetch"});
  ASSERT_EQ(kernel.status, 0) << kernel.err;
  const auto done = run({own_program("strata-vm"), "--root", store, "run", "-q", "--accel", "tcg",
                         "guest:1", "--", "sh", "/opt/test.sh"});
  SCOPED_TRACE(done.out + done.err);
  ASSERT_EQ(done.status, 0);

  auto told = sections(done.out);
  EXPECT_EQ(told["oci run"], "0::/\n67108864\n50\n50000 100000\n3\nstatus 1\n");
  EXPECT_THAT(done.err, HasSubstr("/disk: Operation not permitted"));
  EXPECT_THAT(done.err, HasSubstr("/tty: Operation not permitted"));
  EXPECT_THAT(told["oci life"], StartsWith("  \"status\": \"running\",\n"
                                           "  \"status\": \"paused\",\n"
                                           "  \"status\": \"running\",\n"
                                           "33554432\n0::/\n"));
  EXPECT_THAT(told["oci life"], HasSubstr("\"pids\":{\"current\":1"));
  EXPECT_THAT(told["oci life"], HasSubstr("\"usage\":{\"limit\":33554432"));
  EXPECT_EQ(told["strata run"], "0::/\n33554432\n20\n50000 100000\nstatus 0\n");
  EXPECT_EQ(told["strata life"], "0::/\nlong\nlong\n");
  EXPECT_EQ(told["left behind"], "/run/strata-oci:\n\n/tmp/store/containers:\n");
}

}  // namespace
}  // namespace strata
