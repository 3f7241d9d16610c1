// From create to delete, the same as under runc.

#include <signal.h>

#include <fstream>

#include "tests/bundle/oci_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class LifeCycleTest : public OciTest {
 protected:
  // One line a step: what was asked, how it ended, and what `state` says then.
  std::string transcript(Runtime runtime) {
    std::string text;
    const auto step = [&](std::vector<std::string> arguments) {
      for (const auto& argument : arguments) text += argument + " ";
      const bool kills = arguments.back() == "KILL";
      text += "-> " + std::to_string(oci(std::move(arguments), runtime).status);
      if (kills) wait_stopped("c1", runtime);  // death takes its time
      const auto seen = oci({"state", "c1"}, runtime);
      text += ", state " + std::to_string(seen.status) + " ";
      const auto json = Json::parse(seen.out, nullptr, false);
      if (json.is_object()) {
        text += json.value("status", "?");
        text += json.value("pid", -1) > 0 ? " pid" : " no-pid";
        text += json.value("bundle", "") == bundle_ ? " bundle" : " ?";
        text += json.value("id", "") == "c1" ? " id" : " ?";
        if (json.contains("annotations")) text += " " + json["annotations"].dump();
      }
      text += "\n";
    };
    step({"state", "c1"});
    step({"start", "c1"});
    step({"create", "c1"});
    step({"create", "c1"});
    step({"start", "c1"});
    step({"start", "c1"});
    step({"delete", "c1"});
    step({"pause", "c1"});
    step({"pause", "c1"});
    step({"resume", "c1"});
    step({"kill", "c1", "0"});
    step({"kill", "c1", "NOSUCH"});
    step({"kill", "c1", "KILL"});
    step({"kill", "c1", "KILL"});
    step({"start", "c1"});
    step({"exec", "c1", "true"});
    step({"delete", "c1"});
    step({"delete", "c1"});
    step({"delete", "--force", "c1"});
    return text;
  }
};

TEST_F(LifeCycleTest, IsThatOfRunc) {
  STRATA_NEEDS_PROGRAM("runc");
  write_shell("sleep 100", [](Json& config) { config["annotations"] = {{"key", "value"}}; });
  const auto ours = transcript(Runtime::kStrata);
  EXPECT_EQ(ours, transcript(Runtime::kRunc));
  EXPECT_THAT(ours, HasSubstr("create c1 -> 0, state 0 created pid bundle id {\"key\":\"value\"}"));
  EXPECT_THAT(ours, HasSubstr("pause c1 -> 0, state 0 paused"));
}

TEST_F(LifeCycleTest, WaitsForStartWithoutItsMaker) {
  write_shell("echo ran");
  ok({"create", "--pid-file", (temp_ / "pid").string(), "c1"});
  const auto output = last_output();
  const auto state = this->state("c1");
  EXPECT_EQ(state.value("status", ""), "created");
  EXPECT_EQ(read_file(temp_ / "pid").value_or(""), std::to_string(state.value("pid", 0)));
  EXPECT_EQ(read_file(output).value_or("?"), "");
  ok({"start", "c1"});
  wait_stopped("c1");
  EXPECT_EQ(read_file(output).value_or(""), "ran\n");
  ok({"delete", "c1"});
}

TEST_F(LifeCycleTest, RunReturnsTheStatusAndLeavesNothing) {
  write_shell("echo out; echo err >&2; exit 7");
  const auto done = oci({"run", "c1"});
  EXPECT_EQ(done.status, 7);
  EXPECT_EQ(done.out, "out\n");
  EXPECT_EQ(done.err, "err\n");
  EXPECT_EQ(leftovers(), "");
  write_shell(
      "kill -TERM $$; sleep 1; exit 3");  // the first process ignores what it does not catch
  EXPECT_EQ(oci({"run", "c1"}).status, 3);
  EXPECT_EQ(leftovers(), "");
}

TEST_F(LifeCycleTest, RunKeepsWhatIsToBeKept) {
  write_shell("exit 0");
  ok({"run", "--keep", "c1"});
  EXPECT_EQ(status("c1"), "stopped");
  ok({"delete", "c1"});
  EXPECT_THAT(oci({"state", "c1"}).err, HasSubstr("container does not exist"));
}

TEST_F(LifeCycleTest, RunsDetached) {
  write_shell("sleep 100");
  ok({"run", "--detach", "c1"});
  EXPECT_EQ(status("c1"), "running");
  EXPECT_THAT(oci({"delete", "c1"}).err,
              HasSubstr("cannot delete container c1 that is not stopped: running"));
  ok({"delete", "--force", "c1"});
  EXPECT_EQ(leftovers(), "");
}

TEST_F(LifeCycleTest, ListsAndCounts) {
  EXPECT_EQ(ok({"list", "--format", "json"}), "null");
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  const auto pid = state("c1").value("pid", 0);
  const auto listed = Json::parse(ok({"list", "--format", "json"}));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].value("id", ""), "c1");
  EXPECT_EQ(listed[0].value("status", ""), "running");
  EXPECT_EQ(ok({"list", "-q"}), "c1\n");
  EXPECT_THAT(ok({"list"}), AllOf(HasSubstr("ID "), HasSubstr("STATUS"), HasSubstr("running")));
  EXPECT_EQ(ok({"ps", "--format", "json", "c1"}), "[" + std::to_string(pid) + "]\n");
  EXPECT_THAT(ok({"ps", "c1"}), AllOf(HasSubstr("PID"), HasSubstr("sleep 100")));
  const auto stats = Json::parse(ok({"events", "--stats", "c1"}));
  EXPECT_EQ(stats.value("type", ""), "stats");
  EXPECT_EQ(stats["data"]["pids"]["current"], 1);
  EXPECT_GT(stats["data"]["memory"]["usage"]["usage"], 0);
  EXPECT_GT(stats["data"]["cpu"]["usage"]["total"], 0);
}

TEST_F(LifeCycleTest, ChangesLimitsOfARunningContainer) {
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  ok({"update", "--pids-limit", "20", "c1"});
  std::ofstream(temp_ / "limits") << R"({"memory": {"limit": 67108864}})";
  ok({"update", "--resources", (temp_ / "limits").string(), "c1"});
  const auto stats = Json::parse(ok({"events", "--stats", "c1"}));
  EXPECT_EQ(stats["data"]["pids"]["limit"], 20);
  EXPECT_EQ(stats["data"]["memory"]["usage"]["limit"], 67108864);
}

TEST_F(LifeCycleTest, KillsAll) {
  write_shell("trap '' TERM; sleep 100 & sleep 100 & wait");
  ok({"run", "-d", "c1"});
  wait_for("three processes", [&] {
    return Json::parse(ok({"ps", "--format", "json", "c1"})).size() == 3;
  });
  ok({"kill", "--all", "c1", "SIGKILL"});
  wait_stopped("c1");
  ok({"delete", "c1"});
}

TEST_F(LifeCycleTest, KillsWhatIsPaused) {
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  ok({"pause", "c1"});
  EXPECT_THAT(oci({"exec", "c1", "true"}).err, HasSubstr("cannot exec in a paused container"));
  ok({"kill", "c1", "9"});
  wait_stopped("c1");
  ok({"delete", "c1"});
  ok({"run", "-d", "c1"});
  ok({"pause", "c1"});
  ok({"delete", "--force", "c1"});
  EXPECT_EQ(leftovers(), "");
}

TEST_F(LifeCycleTest, RefusesWhatItDoesNotDo) {
  write_shell("true");
  EXPECT_THAT(oci({"checkpoint", "c1"}).err, HasSubstr("CRIU"));
  EXPECT_EQ(oci({"restore", "c1"}).status, 1);
  EXPECT_THAT(oci({"create", "--no-pivot", "c1"}).err, HasSubstr("--no-pivot"));
  EXPECT_THAT(oci({"--systemd-cgroup", "create", "c1"}).err, HasSubstr("systemd"));
  EXPECT_THAT(oci({"create", "../c1"}).err, HasSubstr("invalid container ID"));
  EXPECT_THAT(oci({"nonsense"}).err, HasSubstr("nonsense"));
  EXPECT_EQ(oci({"--version"}).status, 0);
}

TEST_F(LifeCycleTest, WarnsOfWhatNobodyKnows) {
  write_shell("echo ran", [](Json& config) {
    config["linux"]["resources"]["memory"]["Limit"] = 1;
    config["mounts"][1]["option"] = "ro";
  });
  const auto quiet = oci({"run", "c1"});
  EXPECT_EQ(quiet.out, "ran\n");
  EXPECT_EQ(quiet.err, "");
  const std::string log = temp_ / "log";
  EXPECT_EQ(oci({"--log", log, "run", "c1"}).status, 0);
  EXPECT_THAT(read_file(log).value_or(""),
              HasSubstr("level=warning msg=\"config.json: linux.resources.memory.Limit: "));
  const auto checked = oci({"spec", "--check"});
  EXPECT_EQ(checked.status, 1);
  EXPECT_THAT(checked.err, HasSubstr("config.json: linux.resources.memory.Limit: unknown member"));
  EXPECT_THAT(checked.err, HasSubstr("config.json: mounts[1].option: unknown member"));
  write_shell("echo ran");
  EXPECT_EQ(ok({"spec", "--check"}), "");
}

TEST_F(LifeCycleTest, TellsWhatItCanDo) {
  const auto features = Json::parse(ok({"features"}));
  EXPECT_EQ(features["hooks"].size(), 6U);
  EXPECT_EQ(features["linux"]["capabilities"].size(), 41U);
  EXPECT_EQ(features["linux"]["capabilities"][0], "CAP_CHOWN");
}

TEST_F(LifeCycleTest, TakesNoCgroupThatSomebodyIsIn) {
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  EXPECT_THAT(oci({"create", "c2"}).err, HasSubstr("cgroup is not empty"));
  EXPECT_EQ(status("c1"), "running");
  EXPECT_THAT(oci({"state", "c2"}).err, HasSubstr("does not exist"));
}

}  // namespace
}  // namespace strata::bundle
