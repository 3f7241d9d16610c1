// `strata-bench run` as a black box, with targets that need nothing but the kernel.

#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include <gmock/gmock.h>

#include "bench/result.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

using ::testing::HasSubstr;

class RunTest : public ::testing::Test {
 protected:
  // A root file system of one static program.
  void make_rootfs() {
    for (const char* name : {"bin", "dev", "proc", "sys"})
      std::filesystem::create_directories(dir_ / "rootfs" / name);
    const auto busybox = find_program("busybox");
    ASSERT_TRUE(busybox);
    std::filesystem::copy_file(*busybox, dir_ / "rootfs/bin/busybox");
    for (const char* name : {"echo", "false", "sh", "sleep"})
      std::filesystem::create_symlink("busybox", dir_ / "rootfs/bin" / name);
  }

  std::vector<std::string> command(const std::vector<std::string>& arguments) const {
    std::vector<std::string> argv{testing::own_program("strata-bench"),
                                  "--root",
                                  dir_ / "store",
                                  "run",
                                  "startup",
                                  "--rootfs",
                                  dir_ / "rootfs",
                                  "--json",
                                  dir_ / "result.json"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return argv;
  }

  // Nothing of a run is left but its results.
  void expect_clean() const {
    EXPECT_TRUE(std::filesystem::is_empty(dir_ / "store"));
    const auto mounts = read_file("/proc/self/mountinfo");
    ASSERT_THAT(mounts, testing::IsOk());
    EXPECT_EQ(mounts->find(dir_.path().string()), std::string::npos);
  }

  testing::TempDir dir_;
};

#define NEEDS_ROOTFS()             \
  STRATA_NEEDS_ROOT();             \
  STRATA_NEEDS_PROGRAM("busybox"); \
  make_rootfs()

TEST_F(RunTest, MeasuresAProcessAndTheFloor) {
  NEEDS_ROOTFS();
  const auto done =
      testing::run(command({"--targets", "process,floor,strata", "--trials", "3", "--warmup", "1",
                            "--seed", "7", "--label", "test", "--csv", dir_ / "result.csv"}));
  EXPECT_EQ(done.status, 0) << done.err;
  STRATA_ASSERT_OK(const Document document, read_document(dir_ / "result.json"));
  EXPECT_EQ(document.run.seed, 7U);
  EXPECT_EQ(document.run.label, "test");
  EXPECT_EQ(document.run.reference, "process");
  EXPECT_NE(document.run.end_utc, "");
  ASSERT_EQ(document.samples.size(), 8U);
  for (const auto& sample : document.samples) {
    EXPECT_TRUE(sample.ok) << sample.error;
    EXPECT_EQ(sample.warmup, sample.round == 0);
    const double first_byte = sample.metrics.at(metric::kFirstByte);
    EXPECT_GT(first_byte, 0);
    EXPECT_GE(sample.metrics.at(metric::kExit), first_byte / 2);
    EXPECT_GT(sample.metrics.at(metric::kPeakRss), 100'000);
  }
  const Target* strata = find_target(document, "strata");
  ASSERT_NE(strata, nullptr);
  EXPECT_EQ(strata->availability, Availability::kSkipped);
  EXPECT_NE(strata->reason, "");
  EXPECT_TRUE(std::filesystem::exists(dir_ / "result.csv"));
  EXPECT_THAT(done.out, HasSubstr("floor"));
  expect_clean();
}

TEST_F(RunTest, MeasuresContainersOfAnImage) {
  NEEDS_ROOTFS();
  for (const char* peer : {"bwrap", "crun", "runc", "tar"}) STRATA_NEEDS_PROGRAM(peer);
  const std::string tar = dir_ / "rootfs.tar";
  ASSERT_EQ(testing::run({"tar", "-C", dir_ / "rootfs", "-cf", tar, "."}).status, 0);
  const std::string strata = testing::own_program("strata");
  const auto imported = testing::run({strata, "--root", dir_ / "images", "import", tar, "busybox"});
  ASSERT_EQ(imported.status, 0) << imported.err;
  const std::vector<std::string> names{"process",         "floor",      "strata", "strata-flat",
                                       "strata-detached", "bubblewrap", "crun",   "runc"};
  std::string targets;
  for (const auto& name : names) targets.append(targets.empty() ? "" : ",").append(name);
  const auto done =
      testing::run({testing::own_program("strata-bench"), "run", "startup", "--root",
                    dir_ / "images", "--image", "busybox", "--targets", targets, "--trials", "2",
                    "--warmup", "1", "--json", dir_ / "result.json"});
  EXPECT_EQ(done.status, 0) << done.out << done.err;
  STRATA_ASSERT_OK(const Document document, read_document(dir_ / "result.json"));
  EXPECT_EQ(document.run.reference, "strata");
  EXPECT_EQ(document.samples.size(), names.size() * 3);
  for (const auto& sample : document.samples)
    EXPECT_TRUE(sample.ok) << sample.target << ": " << sample.error;
  EXPECT_FALSE(std::filesystem::exists(dir_ / "images/bench"));
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "images/containers"));
}

TEST_F(RunTest, TargetsThatFailMakeTheRunFail) {
  NEEDS_ROOTFS();
  const auto done =
      testing::run(command({"--targets", "process,floor", "--trials", "9", "--", "/bin/false"}));
  EXPECT_EQ(done.status, 1);
  STRATA_ASSERT_OK(const Document document, read_document(dir_ / "result.json"));
  EXPECT_EQ(document.samples.size(), 6U) << "three failures of each, then no more";
  for (const auto& target : document.targets) {
    EXPECT_EQ(target.availability, Availability::kFailed);
    EXPECT_THAT(target.reason, HasSubstr("exit status 1"));
  }
  expect_clean();
}

TEST_F(RunTest, WhatHangsIsKilled) {
  NEEDS_ROOTFS();
  const auto done = testing::run(command({"--targets", "process,floor", "--trials", "9",
                                          "--timeout", "0.2", "--", "/bin/sleep", "300"}));
  EXPECT_EQ(done.status, 1);
  STRATA_ASSERT_OK(const Document document, read_document(dir_ / "result.json"));
  ASSERT_EQ(document.samples.size(), 6U);
  for (const auto& sample : document.samples)
    EXPECT_THAT(sample.error, HasSubstr("hung until the time limit"));
  expect_clean();
}

TEST_F(RunTest, AnInterruptKeepsWhatWasMeasured) {
  NEEDS_ROOTFS();
  auto argv = command({"--targets", "process,floor", "--trials", "100000"});
  argv.insert(argv.begin(), {"timeout", "--preserve-status", "--signal=INT", "1.5"});
  const auto done = testing::run(argv);
  EXPECT_EQ(done.status, 130);
  STRATA_ASSERT_OK(const Document document, read_document(dir_ / "result.json"));
  EXPECT_GT(document.samples.size(), 4U);
  ASSERT_FALSE(document.skipped.empty());
  EXPECT_THAT(document.skipped.back().reason, HasSubstr("interrupted in round"));
  expect_clean();
}

TEST_F(RunTest, WhatAKilledRunLeavesIsRemovedByTheNext) {
  NEEDS_ROOTFS();
  auto argv = command({"--targets", "process,floor", "--trials", "100000"});
  argv.insert(argv.begin(), {"timeout", "--signal=KILL", "1"});
  testing::run(argv);
  EXPECT_FALSE(std::filesystem::is_empty(dir_ / "store"));
  STRATA_ASSERT_OK(const Document partial, read_document(dir_ / "result.json"));
  EXPECT_GT(partial.samples.size(), 4U);
  EXPECT_EQ(partial.run.end_utc, "");
  EXPECT_EQ(testing::run(command({"--targets", "process", "--trials", "1"})).status, 0);
  expect_clean();
}

TEST_F(RunTest, WrongArgumentsAreUsageErrors) {
  EXPECT_EQ(testing::run(command({"--trials", "0"})).status, 2);
  EXPECT_EQ(testing::run(command({"--quick", "--trials", "3"})).status, 2);
  EXPECT_EQ(testing::run(command({"--targets", "process", "--reference", "runc"})).status, 1);
  EXPECT_EQ(testing::run({testing::own_program("strata-bench")}).status, 2);
}

}  // namespace
}  // namespace strata::bench
