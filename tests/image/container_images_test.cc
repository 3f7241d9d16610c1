// Images and containers together, through the programs: what a container wrote becomes an image,
// and images that containers need are safe.

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/image/archives.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace strata::image {
namespace {

using ::testing::HasSubstr;

constexpr const char* kBusybox = "/bin/busybox";

std::string busybox_tar() {
  std::ifstream file(kBusybox, std::ios::binary);
  const std::string program((std::istreambuf_iterator<char>(file)), {});
  testing::TarBuilder tar;
  for (const char* dir : {"bin", "proc", "sys", "dev", "etc", "tmp"}) tar.directory(dir);
  return tar.add({.name = "bin/busybox", .content = program, .mode = 0755})
      .symlink("bin/sh", "busybox")
      .file("gone", "x")
      .bytes();
}

class ContainerImages : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_NEEDS_PROGRAM(kBusybox);
    ASSERT_EQ(strata({"import", "-", "busybox"}, busybox_tar()).status, 0);
  }
  void TearDown() override {
    for (const auto& container : containers_) strata({"rm", "-f", container});
    EXPECT_EQ(strata({"prune", "-a"}).status, 0);
    const auto fsck = strata({"fsck"});
    EXPECT_EQ(fsck.status, 0) << fsck.out;
  }
  Completed strata(std::vector<std::string> arguments, const std::string& input = {}) const {
    std::vector<std::string> argv{testing::own_program("strata"), "--root",
                                  (dir_ / "store").string()};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return testing::run(argv, input);
  }
  // Runs a shell command in a container that stays, called `name`.
  Completed run_in(const std::string& name, const std::string& image, const std::string& command,
                   bool detached = false) {
    containers_.push_back(name);
    std::vector<std::string> arguments{"run", "--name", name};
    if (detached) arguments.emplace_back("-d");
    for (const auto& word :
         {image, std::string("/bin/busybox"), std::string("sh"), std::string("-c"), command})
      arguments.push_back(word);
    return strata(arguments);
  }

  testing::TempDir dir_;
  std::vector<std::string> containers_;
};

TEST_F(ContainerImages, WhatAContainerWroteBecomesAnImage) {
  const auto ran = run_in("one", "busybox", "echo written > /new; busybox rm /gone");
  ASSERT_EQ(ran.status, 0) << ran.err;
  const auto committed = strata(
      {"commit", "-m", "why", "-c", "CMD [\"/bin/busybox\", \"cat\", \"/new\"]", "one", "web:1"});
  ASSERT_EQ(committed.status, 0) << committed.err;
  containers_.emplace_back("two");
  const auto again = strata({"run", "--name", "two", "web:1"});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(again.out, "written\n");
  EXPECT_EQ(run_in("three", "web:1", "busybox test -e /gone").status, 1);
  const auto history = strata({"history", "--json", "web:1"});
  EXPECT_THAT(history.out, HasSubstr("echo written > /new"));
}

TEST_F(ContainerImages, ARunningContainerIsCommittedAndGoesOn) {
  const auto ran =
      run_in("one", "busybox", "echo ready > /new; while true; do busybox sleep 0.05; done", true);
  ASSERT_EQ(ran.status, 0) << ran.err;
  for (int i = 0; i < 100; ++i)
    if (strata({"exec", "one", "/bin/busybox", "test", "-s", "/new"}).status == 0) break;
  const auto committed = strata({"commit", "one", "web"});
  ASSERT_EQ(committed.status, 0) << committed.err;
  EXPECT_EQ(strata({"exec", "one", "/bin/busybox", "true"}).status, 0) << "it was thawed";
  containers_.emplace_back("two");
  EXPECT_EQ(strata({"run", "--name", "two", "web", "/bin/busybox", "cat", "/new"}).out, "ready\n");
}

TEST_F(ContainerImages, AnImageInUseIsNotRemoved) {
  ASSERT_EQ(run_in("one", "busybox", "true").status, 0);
  const auto refused = strata({"rmi", "busybox"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("is used by container"));
  EXPECT_EQ(strata({"rmi", "-f", "busybox"}).out, "untagged busybox:latest\n");
  EXPECT_EQ(strata({"prune"}).status, 0);
  const auto started = strata({"start", "-a", "one"});
  EXPECT_EQ(started.status, 0) << started.err;
  EXPECT_EQ(strata({"rm", "one"}).status, 0);
  EXPECT_THAT(strata({"prune"}).out, HasSubstr("removed image sha256:"));
  EXPECT_EQ(strata({"images", "-q"}).out, "");
}

TEST_F(ContainerImages, PruneTakesStoppedContainersOnRequest) {
  ASSERT_EQ(run_in("one", "busybox", "true").status, 0);
  EXPECT_EQ(strata({"prune"}).status, 0);
  EXPECT_NE(strata({"ps", "-aq"}).out, "");
  EXPECT_THAT(strata({"prune", "-a"}).out, HasSubstr("removed container"));
  EXPECT_EQ(strata({"ps", "-aq"}).out, "");
}

// A hundred layers: imported one on the other, listed, and run.
TEST_F(ContainerImages, AHundredLayersRun) {
  testing::OciArchive archive;
  std::vector<std::string> tars{busybox_tar()};
  for (int i = 1; i < 100; ++i)
    tars.push_back(testing::small_tar("layer-" + std::to_string(i), std::to_string(i)));
  archive.add_image("deep", tars, Compression::kZstd);
  ASSERT_EQ(strata({"load"}, archive.bytes()).status, 0);
  EXPECT_THAT(strata({"images"}).out, HasSubstr("100\n"));
  const auto ran = run_in("one", "deep", "busybox cat /layer-1 /layer-50 /layer-99");
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.out, "15099");
}

}  // namespace
}  // namespace strata::image
