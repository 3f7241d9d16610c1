// strata-scenario as a black box: how it exits and what it says.

#include <gmock/gmock.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace strata::scenarios {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

Completed scenario(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), testing::own_program("strata-scenario"));
  return testing::run(arguments);
}

TEST(ScenarioCli, ASignalEndsTheStepAndTheExitStatusSaysWhich) {
  for (const auto& [signal, status] : {std::pair("INT", 130), {"TERM", 143}, {"HUP", 129}}) {
    const testing::TempDir dir;
    const std::string cleaned = dir / "cleaned";
    const std::string file = dir.write("hang.json", R"({"title": "t", "why": "w",
          "run": [{"name": "hang", "run": "kill -)" + std::string(signal) +
                                                        R"( $PPID; sleep 110"}],
          "cleanup": [{"name": "clean", "run": ["touch", ")" +
                                                        cleaned + R"("]}]})");
    // The second is not begun.
    const auto done = scenario({"run", file, file});
    EXPECT_EQ(done.status, status) << done.err;
    EXPECT_THAT(done.err, HasSubstr("STOP run      hang"));
    EXPECT_EQ(done.out, "hang interrupted: interrupted\n");
    EXPECT_TRUE(std::filesystem::exists(cleaned));
  }
}

TEST(ScenarioCli, SaysItsVersion) {
  const auto done = scenario({"--version"});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.out, MatchesRegex("strata-scenario [0-9.]+\n"));
}

TEST(ScenarioCli, AFileNeedsAPath) {
  const testing::TempDir dir;
  dir.write("mine.yaml", "a: b\n");
  const auto done = testing::run({"sh", "-c", "cd \"$0\" && exec \"$1\" run mine.yaml", dir.path(),
                                  testing::own_program("strata-scenario")});
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.err, HasSubstr("give a path, './mine.yaml'; scenarios are JSON files"));
  const auto absent = scenario({"run", "no-such"});
  EXPECT_THAT(absent.err, HasSubstr("no scenario 'no-such'"));
  EXPECT_EQ(absent.err.find("path"), std::string::npos);
}

}  // namespace
}  // namespace strata::scenarios
