// strata-probe as people and scripts use it.

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"

namespace strata::probes {
namespace {

using strata::testing::own_program;
using strata::testing::run;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Completed probe(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), own_program("strata-probe"));
  return run(std::move(arguments));
}

std::optional<std::string> lacks_bpf() {
  static const auto done = probe({"check"});
  return done.status == 0 ? std::nullopt : std::optional(done.out);
}

#define NEEDS_BPF() STRATA_NEEDS(lacks_bpf())

TEST(ProbeCli, RunsTheCommandAndDrawsItsTimeline) {
  NEEDS_BPF();
  const auto done = probe({"run", "startup", "--", "sh", "-c", "echo out; exit 5"});
  EXPECT_EQ(done.status, 5);
  EXPECT_EQ(done.out, "out\n");
  EXPECT_THAT(done.err, HasSubstr("sh -c 'echo out; exit 5'"));
  EXPECT_THAT(done.err, HasSubstr("exit 5 after"));
  EXPECT_THAT(done.err, HasSubstr("execve"));
}

TEST(ProbeCli, WritesJson) {
  NEEDS_BPF();
  const auto done =
      probe({"run", "startup", "--no-timeline", "--json", "-", "--", "sh", "-c", "exit 3"});
  EXPECT_EQ(done.status, 3);
  EXPECT_THAT(done.err, IsEmpty());
  const auto json = nlohmann::json::parse(done.out);
  EXPECT_EQ(json["schema"], "strata-startup-trace");
  EXPECT_EQ(json["status"], 3);
  EXPECT_FALSE(json["calls"].empty());

  const strata::testing::TempDir dir;
  const auto file = (dir / "trace.json").string();
  EXPECT_EQ(probe({"run", "startup", "--no-calls", "--json", file, "--", "true"}).status, 0);
  std::ifstream in(file);
  EXPECT_TRUE(nlohmann::json::parse(in)["calls"].empty());
}

TEST(ProbeCli, SaysWhyACommandDidNotRun) {
  NEEDS_BPF();
  const auto missing = probe({"run", "startup", "--", "no-such-program"});
  EXPECT_EQ(missing.status, 127);
  EXPECT_EQ(missing.err,
            "strata-probe: error: execute no-such-program: No such file or directory\n");
  EXPECT_EQ(probe({"run", "startup", "--", "/etc/passwd"}).status, 126);
}

TEST(ProbeCli, TellsUsageErrorsFromTheCommandsStatus) {
  EXPECT_EQ(probe({"run", "startup"}).status, 125);
  EXPECT_EQ(probe({"run", "nothing", "--", "true"}).status, 125);
  EXPECT_EQ(probe({"nothing"}).status, 2);
  EXPECT_EQ(probe({"--help"}).status, 0);
  EXPECT_EQ(probe({"run", "startup", "--help"}).status, 0);
  EXPECT_EQ(probe({"--version"}).status, 0);
}

TEST(ProbeCli, ListsProbes) {
  const auto done = probe({"list"});
  EXPECT_EQ(done.status, 0);
  EXPECT_THAT(done.out, HasSubstr("startup"));
}

TEST(ProbeCli, ChecksTheKernelAndGivesReasons) {
  const auto done = probe({"check", "--json"});
  const auto json = nlohmann::json::parse(done.out);
  const bool available = json["probes"]["startup"]["available"];
  EXPECT_EQ(done.status, available ? 0 : 1);
  ASSERT_FALSE(json["features"].empty());
  for (const auto& feature : json["features"])
    EXPECT_EQ(feature["available"].get<bool>(), feature["reason"].get<std::string>().empty())
        << feature;
}

// setpriv takes away what BPF needs; it is part of util-linux.
std::vector<std::string> without_capabilities(std::vector<std::string> command) {
  command.insert(command.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                   "--inh-caps=-all", "--", own_program("strata-probe")});
  return command;
}

TEST(ProbeCli, WithoutPrivilegesSaysSo) {
  STRATA_NEEDS_ROOT();
  const auto refused = run(without_capabilities({"run", "startup", "--", "echo", "hi"}));
  EXPECT_EQ(refused.status, 125);
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_THAT(refused.err, HasSubstr("load the startup probe: Operation not permitted"));
  EXPECT_THAT(refused.err, HasSubstr("needs CAP_BPF and CAP_PERFMON: run as root"));

  const auto anyway = run(
      without_capabilities({"run", "startup", "--anyway", "--", "sh", "-c", "echo hi; exit 4"}));
  EXPECT_EQ(anyway.status, 4);
  EXPECT_EQ(anyway.out, "hi\n");
  EXPECT_THAT(anyway.err, HasSubstr("warning: load the startup probe"));

  EXPECT_EQ(run(without_capabilities({"check"})).status, 1);
}

TEST(ProbeCli, WorksInsideAPidNamespace) {
  NEEDS_BPF();
  STRATA_NEEDS_ROOT();
  const auto done =
      run({"unshare", "--pid", "--mount", "--fork", "--mount-proc", own_program("strata-probe"),
           "run", "startup", "--no-timeline", "--json", "-", "--", "sh", "-c", "true & wait"});
  EXPECT_EQ(done.status, 0) << done.err;
  const auto json = nlohmann::json::parse(done.out);
  ASSERT_EQ(json["processes"].size(), 2u);
  EXPECT_EQ(json["processes"][0]["pid"], 2);  // 1 is strata-probe itself
  EXPECT_EQ(json["processes"][1]["pid"], 3);
}

TEST(ProbeCli, PassesSignalsOnAndStillReports) {
  NEEDS_BPF();
  // The shell in the middle sends the signal to its parent, which is strata-probe.
  const auto done = probe({"run", "startup", "--", "sh", "-c", "kill -TERM $PPID; sleep 30"});
  EXPECT_EQ(done.status, 128 + SIGTERM);
  EXPECT_THAT(done.err, HasSubstr("killed by SIGTERM after"));
  EXPECT_LT(done.wall, std::chrono::seconds(20));
}

TEST(ProbeCli, FollowsTheTreeToItsEnd) {
  NEEDS_BPF();
  const std::vector<std::string> command{"--", TREE_PAYLOAD, "daemon", "400"};
  std::vector<std::string> followed{"run", "startup", "--follow"};
  followed.insert(followed.end(), command.begin(), command.end());
  EXPECT_THAT(probe(followed).err, Not(HasSubstr("runs\n")));
  std::vector<std::string> lingering{"run", "startup", "--linger", "20"};
  lingering.insert(lingering.end(), command.begin(), command.end());
  EXPECT_THAT(probe(lingering).err, HasSubstr("runs\n"));
}

TEST(ProbeCli, StrangersCannotPaintTheTerminal) {
  NEEDS_BPF();
  const auto done = probe({"run", "startup", "--", TREE_PAYLOAD, "rename"});
  EXPECT_EQ(done.status, 3);
  EXPECT_THAT(done.err, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace strata::probes
