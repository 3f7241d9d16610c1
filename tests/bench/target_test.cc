// What targets make of an image: bundles, workloads, selections.

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "bench/suite.h"
#include "bench/targets/oci_bundle.h"
#include "bench/workload.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;

// A `strata` that prints what it is given, since what is tested is our reading of it.
std::string fake_strata(const testing::TempDir& dir, const std::string& output) {
  dir.write("output", output);
  const auto program = dir.write("strata", "#!/bin/sh\ncat '" + (dir / "output").string() + "'\n");
  ::chmod(program.c_str(), 0755);
  return program;
}

constexpr const char* kInspect = R"([{"kind":"image","id":"sha256:1","config":{
  "env":["A=b"],"entrypoint":["/entry"],"working_dir":"/srv","user":"%USER%"},
  "layers":[{"tree":"/store/bottom"},{"tree":"/store/top"}]}])";

std::string inspect_output(const std::string& user) {
  std::string text = kInspect;
  return text.replace(text.find("%USER%"), 6, user);
}

TEST(Workload, ReadsAnImage) {
  const testing::TempDir dir;
  STRATA_ASSERT_OK(const Image image,
                   inspect_image(fake_strata(dir, inspect_output("root")), "/store", "web"));
  EXPECT_EQ(image.name, "web");
  EXPECT_EQ(image.id, "sha256:1");
  EXPECT_THAT(image.layers, ElementsAre("/store/top", "/store/bottom"));
  EXPECT_THAT(image.env, ElementsAre("A=b", ::testing::StartsWith("PATH=/")));
  EXPECT_EQ(image.working_dir, "/srv");
  const Workload workload{.image = image, .command = {"x", "y"}};
  EXPECT_THAT(workload.full_command(), ElementsAre("/entry", "x", "y"));
}

TEST(Workload, RefusesAnImageOfAnotherUser) {
  const testing::TempDir dir;
  EXPECT_THAT(inspect_image(fake_strata(dir, inspect_output("www-data")), "/store", "web"),
              FailsWith(ENOTSUP, "user www-data"));
}

TEST(Workload, PassesOnWhatStrataSays) {
  const testing::TempDir dir;
  const auto program = dir.write("strata", "#!/bin/sh\necho \"no image 'x'\" >&2; exit 1\n");
  ::chmod(program.c_str(), 0755);
  EXPECT_THAT(inspect_image(program, "/store", "x"), FailsWith(ECHILD, "no image 'x'"));
}

TEST(Workload, TakesADirectoryForAnImage) {
  const testing::TempDir dir;
  STRATA_ASSERT_OK(const Image image, directory_image(dir.path()));
  EXPECT_THAT(image.layers, ElementsAre(dir.path()));
  EXPECT_THAT(directory_image(dir / "missing"), FailsWith(ENOENT));
  EXPECT_THAT(directory_image(dir.write("file", "")), FailsWith(ENOTDIR));
}

TEST(Bundle, IsWhatRuncWritesItselfAndACgroupNamespace) {
  STRATA_NEEDS_PROGRAM("runc");
  const testing::TempDir dir;
  STRATA_ASSERT_OK(const auto done,
                   run_checked({.argv = {"runc", "spec"}, .directory = dir.path()}));
  STRATA_ASSERT_OK(const auto text, read_file(dir / "config.json"));
  STRATA_ASSERT_OK(Json theirs, parse_json(text, "config.json"));
  const auto config = bundle_config({.args = {"/bin/echo", "hi"},
                                     .env = {"A=b"},
                                     .cwd = "/srv",
                                     .rootfs = "/the/rootfs",
                                     .cgroups_path = "/group"});
  STRATA_ASSERT_OK(const Json ours, parse_json(config, "config.json"));
  EXPECT_EQ(ours["process"]["args"], Json({"/bin/echo", "hi"}));
  EXPECT_EQ(ours["process"]["terminal"], false);
  EXPECT_EQ(ours["process"]["cwd"], "/srv");
  EXPECT_EQ(ours["process"]["capabilities"]["bounding"].size(), 14U);
  EXPECT_EQ(ours["process"]["rlimits"], theirs["process"]["rlimits"]);
  EXPECT_EQ(ours["root"]["path"], "/the/rootfs");
  EXPECT_EQ(ours["linux"]["cgroupsPath"], "/group");
  EXPECT_EQ(ours["linux"]["maskedPaths"], theirs["linux"]["maskedPaths"]);
  EXPECT_EQ(ours["linux"]["readonlyPaths"], theirs["linux"]["readonlyPaths"]);
  EXPECT_EQ(ours["linux"]["resources"], theirs["linux"]["resources"]);
  theirs["linux"]["namespaces"].push_back({{"type", "cgroup"}});
  EXPECT_EQ(ours["linux"]["namespaces"], theirs["linux"]["namespaces"]);
  theirs["mounts"][0]["options"] = Json::array();
  EXPECT_EQ(ours["mounts"], theirs["mounts"]);
}

TEST(Suite, SelectsTargetsInTheOrderAskedFor) {
  STRATA_ASSERT_OK(const Suite* suite, find_suite("startup"));
  STRATA_ASSERT_OK(const Targets some,
                   select_targets(suite->make_targets({}), {"runc", "process"}));
  ASSERT_EQ(some.size(), 2U);
  EXPECT_EQ(some[0]->info().name, "runc");
  EXPECT_EQ(some[1]->info().name, "process");
  EXPECT_THAT(select_targets(suite->make_targets({}), {"docker"}), FailsWith(EINVAL, "crun"));
  EXPECT_THAT(select_targets(suite->make_targets({}), {"crun", "crun"}),
              FailsWith(EINVAL, "target 'crun' is named twice"));
  EXPECT_THAT(select_targets(suite->make_targets({}), {""}),
              FailsWith(EINVAL, "the name of a target is missing; there are: process, "));
  EXPECT_THAT(find_suite("shutdown"), FailsWith(EINVAL, "startup"));
}

TEST(Suite, KnowsAllTargetsOfTheStartUpSuite) {
  std::vector<std::string> names;
  for (const auto& target : make_targets({})) {
    names.push_back(target->info().name);
    EXPECT_FALSE(target->info().description.empty());
  }
  EXPECT_THAT(names, ElementsAre("process", "floor", "strata", "strata-flat", "strata-detached",
                                 "bubblewrap", "strata-oci", "crun", "runc", "youki", "podman",
                                 "vm-microvm", "vm-q35", "kvm-floor"));
}

TEST(Suite, TargetsWhoseProgramIsMissingSayWhichOne) {
  for (const auto& target : make_targets({})) {
    const auto reason = target->unavailable();
    if (target->info().name.starts_with("strata")) {
      ASSERT_TRUE(reason);
      EXPECT_THAT(*reason, HasSubstr("was not found"));
    }
  }
}

}  // namespace
}  // namespace strata::bench
