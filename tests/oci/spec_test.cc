#include "runtime/oci/spec.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "unionfs/base/json.h"

namespace strata::oci {
namespace {

using testing::FailsWith;
using testing::IsOk;

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

TEST(Spec, RefusesUnknownMembersByPath) {
  EXPECT_THAT(from_json(with("/hooks", Json::object()), "config.json"),
              FailsWith(EINVAL, "config.json: hooks: unknown member"));
  EXPECT_THAT(from_json(with("/linux/resources/hugepageLimits", Json::array()), "c"),
              FailsWith(EINVAL, "linux.resources.hugepageLimits: unknown member"));
  EXPECT_THAT(from_json(with("/mounts/2/uidMappings", Json::array()), "c"),
              FailsWith(EINVAL, "mounts[2].uidMappings: unknown member"));
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
