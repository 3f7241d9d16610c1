#include "runtime/oci/spec.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/json.h"

namespace strata::oci {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;

void set_rest_of_resources(Resources& resources) {
  resources.memory_reservation = 1 << 20;
  resources.memory_kernel = 2 << 20;
  resources.memory_kernel_tcp = 3 << 20;
  resources.memory_swappiness = 40;
  resources.memory_disable_oom_killer = true;
  resources.memory_use_hierarchy = true;
  resources.memory_check_before_update = true;
  resources.cpu_burst = 1000;
  resources.cpu_realtime_runtime = 950;
  resources.cpu_realtime_period = 1000000;
  resources.cpu_idle = 1;
  resources.mems = "0";
  resources.block_io = {.weight = 100, .leaf_weight = 200, .weight_devices = {{8, 0, 300, 400}}};
  resources.block_io.read_bps = {{8, 0, 1000}};
  resources.block_io.write_bps = {{8, 1, 1001}};
  resources.block_io.read_iops = {{8, 2, 1002}};
  resources.block_io.write_iops = {{8, 3, 1003}};
  resources.hugepage_limits = {{"2MB", 4 << 20}};
  resources.network = {.class_id = 1048577, .priorities = {{"lo", 7}}};
  resources.rdma = {{"mlx5_1", {.hca_handles = 3, .hca_objects = 4}}};
  resources.unified = {{"memory.high", "1000000"}};
}

// What few configurations have.
void set_rest(Spec& spec) {
  auto& process = spec.process;
  process.console_size = {.height = 25, .width = 80};
  process.apparmor_profile = "profile";
  process.selinux_label = "system_u:system_r:svirt_lxc_net_t:s0:c124,c675";
  process.io_priority = {.io_class = "IOPRIO_CLASS_IDLE", .priority = 4};
  process.scheduler = {.policy = "SCHED_DEADLINE",
                       .nice = -3,
                       .priority = 0,
                       .flags = {"SCHED_FLAG_RESET_ON_FORK"},
                       .runtime = 1,
                       .deadline = 2,
                       .period = 3};
  process.exec_cpu_affinity = {.initial = "0-1", .final = "7"};
  spec.domainname = "example.org";
  spec.mounts[0].uid_mappings = {{0, 1000, 10}};
  spec.mounts[0].gid_mappings = {{0, 2000, 20}};
  const Hook hook{.path = "/bin/hook", .args = {"hook", "x"}, .env = {"A=b"}, .timeout = 5};
  spec.hooks = {{hook}, {hook}, {hook}, {hook}, {hook}, {hook}};
  auto& linux = spec.linux;
  linux.uid_mappings = {{0, 100000, 65536}};
  linux.gid_mappings = {{0, 200000, 65536}};
  linux.time_offsets = {{"boottime", {.secs = -5, .nanosecs = 1}}};
  linux.devices = {{.type = "c",
                    .path = "/dev/fuse",
                    .major = 10,
                    .minor = 229,
                    .file_mode = 0660,
                    .uid = 1,
                    .gid = 2}};
  linux.seccomp = {.default_action = "SCMP_ACT_ERRNO",
                   .default_errno_ret = 38,
                   .architectures = {"SCMP_ARCH_X86_64"},
                   .flags = {"SECCOMP_FILTER_FLAG_LOG"},
                   .listener_path = "/run/listener",
                   .listener_metadata = "{}",
                   .syscalls = {{.names = {"getcwd"},
                                 .action = "SCMP_ACT_TRACE",
                                 .errno_ret = 5,
                                 .args = {{0, 1, 2, "SCMP_CMP_MASKED_EQ"}}}}};
  linux.rootfs_propagation = "slave";
  linux.mount_label = "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811";
  linux.personality = {.domain = "LINUX32", .flags = {"X"}};
  set_rest_of_resources(linux.resources);
}

// Every member set to something that is not its default.
Spec full_spec() {
  Spec spec = default_spec();
  spec.root = {.path = "rootfs", .readonly = true};
  spec.hostname = "box";
  spec.annotations = {{"org.example.a", "1"}};
  auto& process = spec.process;
  process.terminal = true;
  process.user = {.uid = 4294967294, .gid = 7, .additional_gids = {8, 9}, .umask = 027};
  process.args = {"sh", "-c", "echo \"ä\"\n"};
  process.env = {"PATH=/bin", "EMPTY="};
  process.cwd = "/srv";
  process.capabilities.ambient = {"CAP_KILL"};
  process.capabilities.inheritable = {"CAP_KILL"};
  process.rlimits = {{"RLIMIT_NOFILE", 1024, 18446744073709551615U}};
  process.no_new_privileges = true;
  process.oom_score_adj = -17;
  auto& linux = spec.linux;
  linux.namespaces.push_back({"time", "/proc/1/ns/time"});
  linux.cgroups_path = "/strata/x";
  linux.sysctl = {{"net.ipv4.ip_forward", "1"}};
  auto& resources = linux.resources;
  resources.devices.push_back(
      {.allow = true, .type = "c", .major = 10, .minor = 229, .access = "rw"});
  resources.memory_limit = 1 << 30;
  resources.memory_swap = -1;
  resources.cpu_shares = 512;
  resources.cpu_quota = 50000;
  resources.cpu_period = 100000;
  resources.cpus = "0-1";
  resources.pids_limit = 100;
  set_rest(spec);
  return spec;
}

// A document with one member put in or replaced, by JSON pointer.
std::string with(const char* pointer, const Json& value) {
  Json json = Json::parse(to_json(full_spec()));
  json[Json::json_pointer(pointer)] = value;
  return json.dump();
}

TEST(Spec, ComesBackAsItWasWritten) {
  const Spec spec = full_spec();
  STRATA_ASSERT_OK(const Spec read, from_json(to_json(spec), "config.json"));
  EXPECT_EQ(to_json(read), to_json(spec));
  EXPECT_EQ(read.process.user.uid, 4294967294U);
  EXPECT_EQ(read.process.user.umask, 027U);
  EXPECT_EQ(read.process.args, spec.process.args);
  EXPECT_EQ(read.process.rlimits.at(0).hard, 18446744073709551615U);
  EXPECT_EQ(read.linux.resources.memory_swap, -1);
  EXPECT_EQ(read.linux.resources.devices.back().minor, 229);
  EXPECT_EQ(read.linux.sysctl, spec.linux.sysctl);
  EXPECT_EQ(read.mounts.size(), spec.mounts.size());
}

TEST(Spec, WritesTheNamesOfTheSpecification) {
  const Json json = Json::parse(to_json(full_spec()));
  EXPECT_EQ(json.at("ociVersion"), "1.0.2");
  EXPECT_EQ(json.at("/process/user/additionalGids"_json_pointer), Json({8, 9}));
  EXPECT_EQ(json.at("/process/noNewPrivileges"_json_pointer), true);
  EXPECT_EQ(json.at("/linux/resources/memory/limit"_json_pointer), 1 << 30);
  EXPECT_EQ(json.at("/linux/resources/cpu/cpus"_json_pointer), "0-1");
  EXPECT_EQ(json.at("/linux/maskedPaths"_json_pointer).size(),
            default_spec().linux.masked_paths.size());
}

TEST(Spec, LeavesOutWhatIsNotSet) {
  const Json json = Json::parse(to_json(Spec()));
  EXPECT_FALSE(json.contains("hostname"));
  EXPECT_FALSE(json.at("process").contains("oomScoreAdj"));
  EXPECT_FALSE(json.contains("/linux/resources/memory"_json_pointer));
}

TEST(Spec, ListsUnknownMembersAndPassesOverThem) {
  const auto unknown = [](const char* pointer) {
    std::vector<std::string> found;
    EXPECT_THAT(from_json(with(pointer, Json::array()), "c", &found), IsOk());
    EXPECT_THAT(from_json(with(pointer, Json::array()), "c"), IsOk());
    return found;
  };
  EXPECT_THAT(unknown("/extra"), ElementsAre("extra"));
  EXPECT_THAT(unknown("/linux/resources/extra"), ElementsAre("linux.resources.extra"));
  EXPECT_THAT(unknown("/mounts/2/extra"), ElementsAre("mounts[2].extra"));
  EXPECT_THAT(unknown("/linux/resources/memory/Limit"),
              ElementsAre("linux.resources.memory.Limit"));
  EXPECT_THAT(unknown("/process/rlimits"), IsEmpty());
}

TEST(Spec, RefusesWhatNothingHereHonours) {
  EXPECT_THAT(from_json(with("/process/commandLine", "a b"), "c"),
              FailsWith(EINVAL, "process.commandLine: "));
  EXPECT_THAT(from_json(with("/linux/intelRdt", {{"closID", "x"}}), "c"),
              FailsWith(EINVAL, "linux.intelRdt: "));
  EXPECT_THAT(from_json(with("/linux/netDevices", {{"eth0", Json::object()}}), "c"),
              FailsWith(EINVAL, "linux.netDevices: "));
  EXPECT_THAT(from_json(with("/linux/netDevices", Json::object()), "c"), IsOk());
}

TEST(Spec, MissesRequiredMembersByPath) {
  const auto without = [](const char* pointer, const char* member) {
    Json json = Json::parse(to_json(full_spec()));
    json[Json::json_pointer(pointer)].erase(member);
    return from_json(json.dump(), "c");
  };
  EXPECT_THAT(without("/root", "path"), FailsWith(EINVAL, "root.path: this member is required"));
  EXPECT_THAT(without("/mounts/1", "destination"), FailsWith(EINVAL, "mounts[1].destination"));
  EXPECT_THAT(without("/process/rlimits/0", "hard"), FailsWith(EINVAL, "process.rlimits[0].hard"));
  EXPECT_THAT(without("/linux/seccomp/syscalls/0", "action"),
              FailsWith(EINVAL, "linux.seccomp.syscalls[0].action"));
  EXPECT_THAT(without("/hooks/poststop/0", "path"), FailsWith(EINVAL, "hooks.poststop[0].path"));
}

TEST(Spec, ReadsTheOnesThatOthersWrite) {
  for (const char* runtime : {"runc", "crun"}) {
    STRATA_NEEDS_PROGRAM(runtime);
    const testing::TempDir bundle;
    const auto done = testing::run(
        {"sh", "-c", "cd \"$1\" && \"$2\" spec && cat config.json", "sh", bundle.path(), runtime});
    STRATA_ASSERT_OK(const Spec spec, from_json(done.out, "config.json"));
    EXPECT_EQ(spec.process.args, std::vector<std::string>{"sh"});
    EXPECT_EQ(spec.root.path, "rootfs");
    EXPECT_GE(spec.mounts.size(), 7U);
    EXPECT_EQ(spec.process.rlimits.at(0).soft, 1024U);
  }
}

TEST(Spec, ReadsProcessAndResourcesAlone) {
  STRATA_ASSERT_OK(const Process process,
                   process_from_json(R"({"args":["id"],"cwd":"/tmp","user":{"uid":5}})", "p.json"));
  EXPECT_EQ(process.user.uid, 5U);
  EXPECT_THAT(process_from_json(R"({"args":"id"})", "p.json"), FailsWith(EINVAL, "p.json: args"));
  STRATA_ASSERT_OK(const Resources resources,
                   resources_from_json(R"({"pids":{"limit":5}})", "r.json"));
  EXPECT_EQ(resources.pids_limit, 5);
}

TEST(Spec, WritesAFilterInOneForm) {
  STRATA_ASSERT_OK(const Spec read, from_json(to_json(full_spec()), "c"));
  EXPECT_EQ(to_json(*read.linux.seccomp), to_json(*full_spec().linux.seccomp));
}

TEST(Spec, RefusesValuesThatDoNotFit) {
  EXPECT_THAT(from_json(with("/process/user/uid", -1), "c"), FailsWith(EINVAL, "process.user.uid"));
  EXPECT_THAT(from_json(with("/process/user/uid", 4294967296), "c"),
              FailsWith(EINVAL, "process.user.uid"));
  EXPECT_THAT(from_json(with("/process/oomScoreAdj", 1.5), "c"),
              FailsWith(EINVAL, "process.oomScoreAdj"));
  EXPECT_THAT(from_json(with("/linux/resources/memory/limit", 9223372036854775808U), "c"),
              FailsWith(EINVAL, "memory.limit"));
  EXPECT_THAT(from_json(with("/process/args/1", 5), "c"), FailsWith(EINVAL, "process.args"));
  EXPECT_THAT(from_json(with("/process/args/1", std::string("a\0b", 3)), "c"),
              FailsWith(EINVAL, "process.args"));
  EXPECT_THAT(from_json(with("/mounts", "none"), "c"), FailsWith(EINVAL, "mounts"));
  EXPECT_THAT(from_json(with("/linux", 1), "c"), FailsWith(EINVAL, "linux: expected an object"));
}

TEST(Spec, RefusesOtherDocuments) {
  EXPECT_THAT(from_json("[]", "c"), FailsWith(EINVAL));
  EXPECT_THAT(from_json("{", "c"), FailsWith(EINVAL));
  EXPECT_THAT(from_json(with("/ociVersion", "2.0.0"), "c"), FailsWith(EINVAL, "ociVersion"));
  EXPECT_THAT(from_json(R"({"process":{}})", "c"), FailsWith(EINVAL, "ociVersion"));
}

TEST(Spec, TakesNullForAbsent) {
  EXPECT_THAT(from_json(R"({"ociVersion":"1.2.0","process":null,"mounts":null})", "c"), IsOk());
}

TEST(Spec, WritesBytesThatAreNotUnicodeAsReplacements) {
  Spec spec;
  spec.root.path = "rootfs";
  spec.process.args = {"\xff"};
  STRATA_ASSERT_OK(const Spec read, from_json(to_json(spec), "c"));
  EXPECT_EQ(read.process.args.at(0), "\xef\xbf\xbd");
}

TEST(DefaultSpec, HasDockersCapabilitiesInThreeSets) {
  const auto caps = default_spec().process.capabilities;
  EXPECT_EQ(caps.bounding.size(), 14U);
  EXPECT_EQ(caps.bounding, caps.effective);
  EXPECT_EQ(caps.bounding, caps.permitted);
  EXPECT_TRUE(caps.inheritable.empty());
  EXPECT_TRUE(caps.ambient.empty());
}

}  // namespace
}  // namespace strata::oci
