// The user's streams: closed, full, or with nobody at their other end.

#include <chrono>
#include <filesystem>
#include <string>

#include "tests/container/program_fixture.h"

namespace strata::container {
namespace {

using ::testing::HasSubstr;

class Streams : public ProgramTest {
 protected:
  // Runs a bash script in which "$@" stands for strata with its store.
  static Completed bash(const std::string& script) {
    auto line = command_line({});
    line.insert(line.begin(), {"timeout", "60", "bash", "-c", script, "bash"});
    return testing::run(line);
  }
};

TEST_F(Streams, ACommandThatDoesNotWantItsInputEndsAsItWill) {
  EXPECT_EQ(bash("head -c 5000000 /dev/zero | \"$@\" run --rm -i debian true").status, 0);
  const std::string script =
      "sh -c 'head -c 1 >/dev/null; exec <&-; sleep 0.5; echo still; exit 4'";
  const auto run = bash("head -c 5000000 /dev/zero | \"$@\" run --rm -i debian " + script);
  EXPECT_EQ(run.status, 4) << run.err;
  EXPECT_EQ(run.out, "still\n");
  ok({"run", "-d", "--name", "web", "debian", "sleep", "60"});
  const auto exec = bash("head -c 5000000 /dev/zero | \"$@\" exec -i web " + script);
  EXPECT_EQ(exec.status, 4) << exec.err;
  EXPECT_EQ(exec.out, "still\n");
}

TEST_F(Streams, MayBeClosed) {
  for (const auto* closed : {"<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"}) {
    const auto run =
        bash("\"$@\" run --rm -i debian sh -c 'cat; exit 6' </dev/null " + std::string(closed));
    EXPECT_EQ(run.status, 6) << closed << run.err;
    ok({"run", "-d", "--name", "web", "debian", "sleep", "60"});
    EXPECT_EQ(bash("\"$@\" exec -i web sh -c 'cat; exit 7' " + std::string(closed)).status, 7)
        << closed;
    ok({"rm", "-f", "web"});
    EXPECT_EQ(bash("\"$@\" run -d --name late debian sleep 60 " + std::string(closed)).status, 0)
        << closed;
    EXPECT_EQ(status_of("late"), "running");
    ok({"rm", "-f", "late"});
    EXPECT_EQ(leftovers(), "") << closed;
  }
}

TEST_F(Streams, MayBeClosedForOtherPrograms) {
  EXPECT_EQ(bash("\"$@\" import - none <&-").status, 1);
  EXPECT_EQ(bash("\"$@\" load <&-").status, 1);
  EXPECT_EQ(bash("\"$@\" images >&-").status, 0);
  EXPECT_EQ(bash("\"$@\" save debian >&- <&-").status, 0);
}

TEST_F(Streams, AreFlushedAndChecked) {
  for (const auto* arguments : {"ps", "images", "inspect debian", "history debian", "--help",
                                "--version", "ps --help", "images --help"}) {
    const auto done = bash("\"$@\" " + std::string(arguments) + " >/dev/full");
    EXPECT_EQ(done.status, 1) << arguments;
    EXPECT_THAT(done.err, HasSubstr("error: write to standard output: No space left on device"));
  }
  EXPECT_EQ(bash("\"$@\" run -d --rm debian true >/dev/full").status, 125);
}

TEST_F(Streams, AReaderThatGoesAwayEndsClientAndContainer) {
  const auto done = bash("\"$@\" run --name unread debian yes | head -1; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(done.out, "y\n141\n") << done.err;
  EXPECT_EQ(status_of("unread"), "exited");
  EXPECT_LT(done.wall, std::chrono::seconds(5));
  // One that heeds the signal is given the time to end.
  const auto trap = bash(
      "\"$@\" run --name heeds debian sh -c 'trap \"exit 8\" TERM; while echo x; do sleep 0.05; "
      "done' | head -1; echo ${PIPESTATUS[0]}");
  EXPECT_EQ(trap.out, "x\n141\n") << trap.err;
  EXPECT_EQ(inspect("heeds")["state"]["exit_code"], 8);
  EXPECT_EQ(bash("\"$@\" run --name full debian yes > /dev/full").status, 125);
  EXPECT_EQ(status_of("full"), "exited");
}

// Three times the log's limit.
constexpr const char* kMuch = "sh -c 'head -c 200000000 /dev/zero | tr \"\\0\" x'";

std::uintmax_t blocks_of(const std::filesystem::path& file) {
  const auto done = testing::run({"stat", "-c", "%b", file.string()});
  return std::stoull("0" + done.out) * 512;
}

TEST_F(Streams, MoreThanTheLogKeepsComesThroughToASlowReader) {
  const auto done =
      bash("\"$@\" run --name much debian " + std::string(kMuch) + " | { sleep 2; wc -c; }");
  EXPECT_EQ(done.out, "200000000\n") << done.err;
  EXPECT_LT(blocks_of(inspect("much")["log"].get<std::string>()), 70ULL << 20U);
}

TEST_F(Streams, TheLogKeepsTheLastPart) {
  ok({"run", "-d", "--name", "much", "debian", "sh", "-c",
      "seq 3000000; sleep 0.5; echo end; sleep 0.5"});
  const auto followed = bash("\"$@\" logs -f much | tail -1");
  EXPECT_EQ(followed.out, "end\n") << followed.err;
  EXPECT_LT(blocks_of(inspect("much")["log"].get<std::string>()), 70ULL << 20U);
  EXPECT_EQ(ok({"logs", "--tail", "2", "much"}), "3000000\nend");
  // What is kept is whole lines one after the other.
  const auto check = bash(
      "\"$@\" logs much | awk 'NR>1 && $1!=\"end\" && $1!=last+1 {bad++} {last=$1} END {print "
      "bad+0, "
      "(NR>500000)}'");
  EXPECT_EQ(check.out, "0 1\n") << check.err;
  EXPECT_EQ(ok({"logs", "--tail", "9999999", "much"}), ok({"logs", "much"}));
}

TEST_F(Streams, TheThirdInterruptKillsWhatHeedsNone) {
  const auto out = (dir_ / "out").string();
  // A shell without job control starts what is in the background with SIGINT ignored.
  const auto done =
      bash("set -m; \"$@\" run --name deaf debian sh -c 'echo up; exec sleep 60' > " + out +
           " & pid=$!; until grep -q up " + out +
           "; do sleep 0.05; done; "
           "for i in 1 2 3; do kill -INT $pid; sleep 0.3; done; wait $pid; echo status $?");
  EXPECT_EQ(done.out, "status 137\n") << done.err;
  EXPECT_THAT(done.err, HasSubstr("press Ctrl-C again to kill it"));
  EXPECT_EQ(status_of("deaf"), "exited");
}

TEST_F(Streams, AStoreThatIsNotThereIsNoEmptyOne) {
  for (const auto* verb : {"ps", "images", "inspect x", "history x", "logs x", "rm x", "prune"}) {
    const auto line = std::string("\"$1\" --root ") + (dir_ / "not/there").string() + " " + verb;
    const auto done = bash(line);
    EXPECT_EQ(done.status, 1) << verb;
    EXPECT_THAT(done.err, HasSubstr("no store in " + (dir_ / "not/there").string())) << verb;
    EXPECT_FALSE(std::filesystem::exists(dir_ / "not")) << verb;
  }
}

}  // namespace
}  // namespace strata::container
