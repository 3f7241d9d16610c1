// The life of a container, command by command.

#include <chrono>
#include <filesystem>
#include <thread>

#include "tests/container/program_fixture.h"
#include "tests/support/matchers.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class Lifecycle : public ProgramTest {
 protected:
  // A container that answers SIGTERM and otherwise waits.
  static std::string start_server(const std::string& name, std::vector<std::string> options = {}) {
    std::vector<std::string> arguments{"run", "-d", "--name", name};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(),
                     {"debian", "sh", "-c",
                      "trap 'echo bye; exit 5' TERM; trap 'echo hup' HUP; echo up; "
                      "while :; do sleep 0.05; done"});
    const auto id = ok(arguments);
    wait_for("the server", [&] { return ok({"logs", name}) == "up"; });
    return id;
  }
};

TEST_F(Lifecycle, FromCreationToRemoval) {
  const auto id = ok({"create", "--name", "web", "debian", "sh", "-c", "echo ran; exit 6"});
  EXPECT_EQ(status_of("web"), "created");
  EXPECT_EQ(ok({"ps", "-q"}), "");
  EXPECT_EQ(ok({"ps", "-aq"}), id);
  EXPECT_EQ(ok({"wait", "web"}), "0") << "it does not run";
  EXPECT_EQ(ok({"start", "web"}), "web");
  EXPECT_EQ(ok({"wait", "web"}), "6");
  EXPECT_EQ(status_of("web"), "exited");
  EXPECT_EQ(ok({"logs", "web"}), "ran");
  EXPECT_EQ(ok({"rm", "web"}), "web");
  EXPECT_EQ(strata({"inspect", "web"}).status, 1);
}

TEST_F(Lifecycle, StartAgainKeepsFilesAndLog) {
  ok({"create", "--name", "web", "debian", "sh", "-c", "echo x >> /runs; wc -l < /runs"});
  EXPECT_EQ(strata({"start", "-a", "web"}).out, "1\n");
  EXPECT_EQ(strata({"start", "-a", "web"}).out, "2\n");
  EXPECT_EQ(ok({"logs", "web"}), "1\n2");
}

TEST_F(Lifecycle, StartAttachedFeedsInput) {
  ok({"create", "-i", "--name", "cat", "debian", "cat"});
  EXPECT_EQ(strata({"start", "-a", "-i", "cat"}, "fed").out, "fed");
}

TEST_F(Lifecycle, ARunningOneIsNotStartedTwice) {
  start_server("web");
  const auto done = strata({"start", "web"});
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("running already"));
}

TEST_F(Lifecycle, StopSendsTheStopSignal) {
  start_server("web");
  EXPECT_EQ(ok({"stop", "web"}), "web");
  const auto state = inspect("web")["state"];
  EXPECT_EQ(state["exit_code"], 5);
  EXPECT_EQ(ok({"logs", "web"}), "up\nbye");
  EXPECT_EQ(ok({"stop", "web"}), "web") << "stopped already";
}

TEST_F(Lifecycle, StopUsesTheContainersOwnSignal) {
  ok({"run", "-d", "--name", "web", "--stop-signal", "USR1", "debian", "sh", "-c",
      "trap 'exit 8' USR1; echo up; while :; do sleep 0.05; done"});
  wait_for("the server", [&] { return ok({"logs", "web"}) == "up"; });
  ok({"stop", "web"});
  EXPECT_EQ(inspect("web")["state"]["exit_code"], 8);
}

TEST_F(Lifecycle, StopKillsWhatDoesNotListen) {
  ok({"run", "-d", "--name", "deaf", "debian", "sleep", "60"});
  const auto before = std::chrono::steady_clock::now();
  ok({"stop", "-t", "1", "deaf"});
  EXPECT_GE(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(900));
  EXPECT_EQ(inspect("deaf")["state"]["exit_code"], 137);
}

TEST_F(Lifecycle, KillSendsAnySignal) {
  start_server("web");
  ok({"kill", "-s", "HUP", "web"});
  wait_for("the signal", [&] { return ok({"logs", "web"}) == "up\nhup"; });
  EXPECT_EQ(strata({"kill", "-s", "NONSENSE", "web"}).status, 1);
  ok({"kill", "web"});
  EXPECT_EQ(ok({"wait", "web"}), "137");
  EXPECT_EQ(strata({"kill", "web"}).status, 1) << "it does not run";
}

TEST_F(Lifecycle, RemovalRefusesWhatRuns) {
  start_server("web");
  const auto refused = strata({"rm", "web"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("is running"));
  EXPECT_EQ(ok({"rm", "-f", "web"}), "web");
}

TEST_F(Lifecycle, SeveralNamesAreAllTried) {
  ok({"create", "--name", "one", "debian", "true"});
  ok({"create", "--name", "two", "debian", "true"});
  const auto done = strata({"rm", "one", "none", "two", "nil"});
  EXPECT_EQ(done.status, 1);
  EXPECT_EQ(done.out, "one\ntwo\n");
  EXPECT_THAT(done.err, HasSubstr("no container 'none'"));
  EXPECT_THAT(done.err, HasSubstr("no container 'nil'"));
}

TEST_F(Lifecycle, FoundByStartOfTheId) {
  const auto id = ok({"create", "debian", "true"});
  EXPECT_EQ(inspect(id.substr(0, 12))["id"], id);
  EXPECT_EQ(strata({"rm", id.substr(0, 10)}).status, 0);
}

TEST_F(Lifecycle, PsShowsTableAndJson) {
  ok({"create", "--name", "one", "debian", "echo", "\x1b[31mred"});
  start_server("two");
  const auto table = ok({"ps", "-a"});
  EXPECT_THAT(table, ContainsRegex("CONTAINER ID +NAME +IMAGE +COMMAND +STATUS"));
  EXPECT_THAT(table, ContainsRegex("[0-9a-f]{12} +one +debian +echo .*red +Created"));
  EXPECT_THAT(table, ContainsRegex("two +debian +sh -c .* Up "));
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  STRATA_ASSERT_OK(const auto json, parse_json(ok({"ps", "-a", "--json"}), "ps"));
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["name"], "two") << "newest first";
  EXPECT_EQ(json[0]["status"], "running");
  EXPECT_GT(json[0]["pid"].get<int>(), 0);
  EXPECT_EQ(json[1]["command"][1], "\x1b[31mred");
}

TEST_F(Lifecycle, PsGoesOnAfterABrokenRecord) {
  ok({"create", "--name", "good", "debian", "true"});
  const auto broken = ok({"create", "--name", "broken", "debian", "true"});
  const auto record = root() / "containers" / broken / "container.json";
  STRATA_ASSERT_OK(const auto saved, read_file(record));
  ASSERT_THAT(write_file_atomic(record, "{"), testing::IsOk());
  const auto done = strata({"ps", "-a"});
  EXPECT_EQ(done.status, 1);
  EXPECT_THAT(done.out, HasSubstr("good"));
  EXPECT_THAT(done.err, HasSubstr(broken.substr(0, 12)));
  EXPECT_EQ(inspect("good")["name"], "good");
  ASSERT_THAT(write_file_atomic(record, saved), testing::IsOk());
}

TEST_F(Lifecycle, InspectShowsContainersAndImages) {
  const auto id = start_server("web", {"-v", dir_.path().string() + ":/d:ro"});
  const auto json = inspect("web");
  EXPECT_EQ(json["kind"], "container");
  EXPECT_EQ(json["id"], id);
  EXPECT_EQ(json["image"]["name"], "debian");
  EXPECT_EQ(json["command"][0], "sh");
  EXPECT_EQ(json["mounts"][0]["source"], dir_.path().string());
  EXPECT_EQ(json["mounts"][0]["options"][0], "ro");
  EXPECT_TRUE(std::filesystem::exists(json["upper"].get<std::string>()));
  EXPECT_TRUE(std::filesystem::exists(json["bundle"].get<std::string>() + "/config.json"));
  EXPECT_GT(json["setup"].size(), 5U);
  const auto image = inspect("debian");
  EXPECT_EQ(image["kind"], "image");
  EXPECT_EQ(image["id"], json["image"]["id"]);
  const auto both = strata({"inspect", "web", "absent", "debian"});
  EXPECT_EQ(both.status, 1);
  STRATA_ASSERT_OK(const auto array, parse_json(both.out, "inspect"));
  EXPECT_EQ(array.size(), 2U);
}

TEST_F(Lifecycle, LogsKeepTheStreamsApart) {
  strata({"run", "--name", "web", "debian", "sh", "-c",
          "echo out; echo err >&2; sleep 0.1; printf prompt"});
  auto logs = strata({"logs", "web"});
  EXPECT_EQ(logs.out, "out\nprompt");
  EXPECT_EQ(logs.err, "err\n");
  logs = strata({"logs", "--tail", "1", "web"});
  EXPECT_EQ(logs.out + logs.err, "prompt");
  EXPECT_THAT(strata({"logs", "-t", "web"}).out,
              ContainsRegex("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z out\n"));
  EXPECT_EQ(strata({"logs", "--tail", "some", "web"}).status, 1);
}

TEST_F(Lifecycle, LogsAreJsonLines) {
  strata({"run", "--name", "web", "debian", "echo", "line"});
  STRATA_ASSERT_OK(const auto text, read_file(inspect("web")["log"].get<std::string>()));
  STRATA_ASSERT_OK(const auto json, parse_json(text, "log"));
  EXPECT_EQ(json["log"], "line\n");
  EXPECT_EQ(json["stream"], "stdout");
}

TEST_F(Lifecycle, FollowedLogsEndWithTheContainer) {
  ok({"run", "-d", "--name", "web", "debian", "sh", "-c",
      "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done"});
  EXPECT_EQ(ok({"logs", "-f", "web"}), "1\n2\n3\n4\n5");
  EXPECT_EQ(ok({"logs", "-f", "web"}), "1\n2\n3\n4\n5") << "it has ended";
}

TEST_F(Lifecycle, FollowedLogsOfOneThatRemovesItself) {
  ok({"run", "-d", "--rm", "--name", "web", "debian", "sh", "-c",
      "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done"});
  EXPECT_EQ(ok({"logs", "-f", "web"}), "1\n2\n3\n4\n5");
}

TEST_F(Lifecycle, WaitersAreTold) {
  ok({"run", "-d", "--rm", "--name", "web", "debian", "sh", "-c", "sleep 0.3; exit 3"});
  EXPECT_EQ(ok({"wait", "web"}), "3");
}

class Exec : public Lifecycle {
 protected:
  void SetUp() override {
    Lifecycle::SetUp();
    if (!IsSkipped()) start_server("web", {"-e", "A=container", "-w", "/tmp", "-u", "www-data"});
  }
};

TEST_F(Exec, StreamsAndStatusAreTheCommands) {
  const auto done = strata({"exec", "-i", "web", "sh", "-c", "cat; echo err >&2; exit 3"}, "fed");
  EXPECT_EQ(done.status, 3);
  EXPECT_EQ(done.out, "fed");
  EXPECT_EQ(done.err, "err\n");
  EXPECT_EQ(strata({"exec", "web", "cat"}, "not fed").out, "");
}

TEST_F(Exec, StatusesOfFailures) {
  EXPECT_EQ(strata({"exec", "web", "no-such-command"}).status, 127);
  EXPECT_EQ(strata({"exec", "web", "/etc/passwd"}).status, 126);
  EXPECT_EQ(strata({"exec", "web", "sh", "-c", "kill -9 $$"}).status, 137);
  EXPECT_EQ(strata({"exec", "absent", "true"}).status, 125);
  EXPECT_EQ(strata({"exec", "web"}).status, 125);
  EXPECT_EQ(strata({"exec", "-u", "nobody-there", "web", "true"}).status, 125);
}

TEST_F(Exec, SeesTheContainerAndItsSettings) {
  EXPECT_EQ(
      ok({"exec", "web", "sh", "-c", "pwd; echo $A $HOME; id -u; cat /proc/1/cmdline | cut -c1-2"}),
      "/tmp\ncontainer /var/www\n33\nsh");
  EXPECT_EQ(ok({"exec", "-e", "A=mine", "-w", "/", "-u", "0", "web", "sh", "-c",
                "pwd; echo $A $HOME; id -u"}),
            "/\nmine /root\n0");
  EXPECT_EQ(ok({"exec", "web", "sh", "-c", "ls /proc/$$/fd; true"}), "0\n1\n2");
}

TEST_F(Exec, ResolvesUsersAsTheContainerHasThemNow) {
  ok({"exec", "-u", "0", "web", "sh", "-c",
      "echo new:x:4321:4321::/home/new:/bin/sh >> /etc/passwd"});
  EXPECT_EQ(ok({"exec", "-u", "new", "web", "sh", "-c", "id -u; echo $HOME"}), "4321\n/home/new");
}

TEST_F(Exec, DetachedGoesOnAlone) {
  EXPECT_EQ(ok({"exec", "-d", "web", "sh", "-c", "sleep 0.3; echo late > /tmp/late"}), "");
  wait_for("the command", [&] {
    return strata({"exec", "web", "cat", "/tmp/late"}).out == "late\n";
  });
}

TEST_F(Exec, EndsWithTheContainer) {
  const auto done = testing::run(
      {"bash", "-c",
       "\"$@\" exec web sleep 60 & sleep 0.3; \"$@\" kill web >/dev/null; wait $!; echo $?", "bash",
       command_line({})[0], "--root", root().string()});
  EXPECT_EQ(done.out, "137\n") << done.err;
}

TEST_F(Exec, NeedsARunningContainer) {
  ok({"stop", "web"});
  const auto done = strata({"exec", "web", "true"});
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("is not running"));
}

TEST_F(Exec, EveryByteComesThroughUnchanged) {
  std::string bytes(2'000'000, '\0');
  unsigned value = 1;
  for (char& c : bytes) c = static_cast<char>((value = value * 1664525 + 1013904223) >> 24U);
  EXPECT_TRUE(strata({"exec", "-i", "web", "cat"}, bytes).out == bytes);
}

}  // namespace
}  // namespace strata::container
