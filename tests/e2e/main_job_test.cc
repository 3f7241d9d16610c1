// The main job on a store of its own: a real two-layer Debian image, both scenarios, and the
// start-up benchmark over every target with its report.

#include <cstdlib>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/json_schema.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata {
namespace {

using strata::testing::IsOk;
using strata::testing::own_program;
using strata::testing::run;
using strata::testing::TempDir;

class MainJob : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    STRATA_NEEDS_DEBIAN();
    STRATA_NEEDS_PROGRAM("apt-get");
    ::setenv("STRATA_ROOT", (dir_ / "store").c_str(), 1);
    ::setenv("STRATA_BUILD",
             std::filesystem::path(own_program("strata")).parent_path().parent_path().c_str(), 1);
    const auto made = run({(testing::source_dir() / "scripts/make-images").string()});
    ASSERT_EQ(made.status, 0) << made.err;
  }

  void TearDown() override {
    const auto ps = run({own_program("strata"), "ps", "-aq"});
    EXPECT_EQ(ps.out, "") << "containers were left behind";
    const auto fsck = run({own_program("strata"), "fsck"});
    EXPECT_EQ(fsck.status, 0) << fsck.out << fsck.err;
  }

  TempDir dir_;
};

TEST_F(MainJob, ScenariosPass) {
  for (const std::string name : {"shared-base", "upgrade"}) {
    const std::string file = dir_ / (name + ".json");
    const auto done = run({own_program("strata"), "scenario", "run", "--json", file, name});
    EXPECT_EQ(done.status, 0) << done.out << done.err;
    STRATA_ASSERT_OK(const std::string json, read_file(file));
    EXPECT_EQ(testing::schema_faults("strata-scenario-result-1.schema.json", json), "");
  }
}

TEST_F(MainJob, BenchmarkMeasuresEveryTarget) {
  const std::string file = dir_ / "startup.json";
  const auto bench = run({own_program("strata"), "bench", "run", "startup", "--quick", "--image",
                          "debian:tools", "--json", file, "--csv", dir_ / "startup.csv"});
  ASSERT_EQ(bench.status, 0) << bench.out << bench.err;
  const auto report =
      run({own_program("strata"), "bench", "report", file, "-o", dir_ / "startup.html"});
  ASSERT_EQ(report.status, 0) << report.err;

  STRATA_ASSERT_OK(const std::string text, read_file(file));
  EXPECT_EQ(testing::schema_faults("strata-result-1.schema.json", text), "");
  STRATA_ASSERT_OK(const std::string page, read_file(dir_ / "startup.html"));
  for (const char* target :
       {"process", "floor", "strata", "strata-flat", "strata-detached", "bubblewrap", "crun",
        "runc", "podman", "vm-microvm", "vm-q35", "kvm-floor"}) {
    EXPECT_NE(bench.out.find(target), std::string::npos) << target << "\n" << bench.out;
    EXPECT_NE(page.find(target), std::string::npos) << target;
  }
}

}  // namespace
}  // namespace strata
