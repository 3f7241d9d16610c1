// `strata run`: what the command sees, and what comes back.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tests/container/program_fixture.h"
#include "tests/support/matchers.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Run : public ProgramTest {
 protected:
  // Runs a shell script with more options.
  static Completed shell(const std::string& script, std::vector<std::string> options = {}) {
    std::vector<std::string> arguments{"run", "--rm"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    arguments.insert(arguments.end(), {"debian", "sh", "-c", script});
    return strata(arguments);
  }
};

TEST_F(Run, StreamsAndStatusAreTheCommands) {
  const auto done = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(done.status, 3);
  EXPECT_EQ(done.out, "out\n");
  EXPECT_EQ(done.err, "err\n");
}

TEST_F(Run, StatusesOfFailures) {
  const auto status = [](std::vector<std::string> command) {
    command.insert(command.begin(), {"run", "--rm", "debian"});
    return strata(command).status;
  };
  EXPECT_EQ(status({"no-such-command"}), 127);
  EXPECT_EQ(status({"/no/such/command"}), 127);
  EXPECT_EQ(status({"/etc/passwd"}), 126);
  EXPECT_EQ(status({"/etc"}), 126);
  EXPECT_EQ(strata({"run", "--rm", "no-such-image", "true"}).status, 125);
  EXPECT_EQ(strata({"run", "--no-such-option", "debian", "true"}).status, 125);
  EXPECT_EQ(strata({"run", "--memory", "lots", "debian", "true"}).status, 125);
  EXPECT_EQ(strata({"run"}).status, 125);
  EXPECT_EQ(strata({"run", "--rm", "-v", "/proc/1/nothing:/x", "debian", "true"}).status, 125);
}

TEST_F(Run, ErrorsAreOneLine) {
  const auto done = strata({"run", "--rm", "debian", "no-such-command"});
  EXPECT_EQ(done.out, "");
  EXPECT_THAT(done.err, StartsWith("strata: error: "));
  EXPECT_THAT(done.err, HasSubstr("no-such-command"));
  EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
}

TEST_F(Run, ASignalsNumberIsAddedTo128) {
  EXPECT_EQ(shell("sh -c 'kill -TERM $$'; exit $?").status, 143);
  ok({"run", "-d", "--name", "killed", "debian", "sleep", "60"});
  ok({"kill", "killed"});
  EXPECT_EQ(ok({"wait", "killed"}), "137");
}

TEST_F(Run, NeedsACommand) {
  const auto done = strata({"run", "--rm", "debian"});
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("does not say what to run"));
}

TEST_F(Run, OptionsEndAtTheImage) {
  EXPECT_EQ(strata({"run", "--rm", "debian", "echo", "--rm", "-e", "-x"}).out, "--rm -e -x\n");
  EXPECT_EQ(strata({"run", "--rm", "--", "debian", "echo", "--", "x"}).out, "-- x\n");
}

TEST_F(Run, StandardInputOnlyWithI) {
  EXPECT_EQ(strata({"run", "--rm", "-i", "debian", "cat"}, "fed").out, "fed");
  EXPECT_EQ(strata({"run", "--rm", "debian", "cat"}, "not fed").out, "");
}

TEST_F(Run, EveryByteComesThroughUnchanged) {
  std::string bytes(3'000'000, '\0');
  unsigned value = 1;
  for (char& c : bytes) c = static_cast<char>((value = value * 1664525 + 1013904223) >> 24U);
  const auto done = strata({"run", "--rm", "-i", "debian", "cat"}, bytes);
  EXPECT_EQ(done.status, 0);
  EXPECT_TRUE(done.out == bytes) << done.out.size() << " bytes came back";
}

TEST_F(Run, OrderBetweenTheStreamsOfOneWriterIsKept) {
  const auto done =
      testing::run({"sh", "-c", "exec \"$@\" 2>&1", "sh", command_line({})[0], "--root",
                    root().string(), "run", "--rm", "debian", "sh", "-c",
                    "for i in 1 2 3 4; do echo o$i; sleep 0.05; echo e$i >&2; sleep 0.05; done"});
  EXPECT_EQ(done.out, "o1\ne1\no2\ne2\no3\ne3\no4\ne4\n");
}

TEST_F(Run, OnlyTheStandardStreamsAreOpen) {
  // A descriptor that is not closed on execve, as a shell's redirections are.
  const auto done = testing::run({"bash", "-c", "exec 7</etc/hostname 9>/dev/null; exec \"$@\"",
                                  "bash", command_line({})[0], "--root", root().string(), "run",
                                  "--rm", "debian", "sh", "-c", "ls /proc/1/fd; true"});
  EXPECT_EQ(done.out, "0\n1\n2\n") << done.err;
}

TEST_F(Run, Environment) {
  ::setenv("FROM_US", "ours", 1);
  const auto file = dir_.write("env", "# comment\nIN_FILE=1\nFROM_US\n");
  const auto done = strata({"run", "--rm", "-e", "A=b c", "-e", "FROM_US", "-e", "NOT_SET",
                            "--env-file", file.string(), "debian", "env"});
  ::unsetenv("FROM_US");
  for (const auto* line : {"A=b c\n", "FROM_US=ours\n", "IN_FILE=1\n", "HOME=/root\n",
                           "HOSTNAME=", "PATH=/usr/local/sbin:"})
    EXPECT_THAT(done.out, HasSubstr(line));
  EXPECT_EQ(done.out.find("NOT_SET"), std::string::npos);
  EXPECT_EQ(done.out.find("TERM="), std::string::npos);
}

TEST_F(Run, WorkingDirectoryIsMadeIfMissing) {
  EXPECT_EQ(shell("pwd", {"-w", "/usr/lib"}).out, "/usr/lib\n");
  EXPECT_EQ(shell("pwd", {"-w", "/made/for/this"}).out, "/made/for/this\n");
}

TEST_F(Run, Users) {
  EXPECT_EQ(shell("id -u; id -g; id -G; echo $HOME", {"-u", "www-data"}).out,
            "33\n33\n33\n/var/www\n");
  EXPECT_EQ(shell("id -u; id -g", {"-u", "1234:56"}).out, "1234\n56\n");
  EXPECT_EQ(shell("id -u; id -g; id -G", {"-u", "www-data:adm"}).out, "33\n4\n4\n");
  const auto done = shell("true", {"-u", "nobody-there"});
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("nobody-there"));
}

TEST_F(Run, Volumes) {
  const auto data = dir_.write("data/file", "of the host").parent_path();
  EXPECT_EQ(shell("cat /d/file; echo of the container > /d/new", {"-v", data.string() + ":/d"}).out,
            "of the host");
  STRATA_ASSERT_OK(const auto written, read_file(data / "new"));
  EXPECT_EQ(written, "of the container\n");
  EXPECT_NE(shell("echo x > /d/file", {"-v", data.string() + ":/d:ro"}).status, 0);
  // A file onto a file, nested volumes whatever their order, and a source that is not there.
  const auto other = (dir_ / "other").string();
  EXPECT_EQ(shell("cat /d/inner/file /etc/motd; ls /d/made",
                  {"-v", data.string() + ":/d/inner", "-v", other + ":/d", "-v",
                   (data / "file").string() + ":/etc/motd", "-v",
                   (dir_ / "made/dir").string() + ":/d/made"})
                .out,
            "of the hostof the host");
  EXPECT_TRUE(std::filesystem::is_directory(dir_ / "made/dir"));
}

TEST_F(Run, VolumesWithOneDestination) {
  const auto done = shell("true", {"-v", "/usr:/w", "-v", "/etc:/w/"});
  EXPECT_EQ(done.status, 125);
  EXPECT_THAT(done.err, HasSubstr("same destination, /w"));
}

TEST_F(Run, AVolumeMadeForAContainerThatDidNotStartGoesAgain) {
  std::filesystem::create_directory(dir_ / "there");
  const auto source = (dir_ / "there/new/dir").string();
  EXPECT_EQ(strata({"run", "--rm", "-v", source + ":/x", "debian", "no-such-command"}).status, 127);
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "there"));
  EXPECT_EQ(shell("true", {"-v", source + ":/x"}).status, 0);
  EXPECT_EQ(strata({"run", "--rm", "-v", source + ":/x", "debian", "no-such-command"}).status, 127);
  EXPECT_TRUE(std::filesystem::is_directory(source));
}

TEST_F(Run, Entrypoint) {
  EXPECT_EQ(strata({"run", "--rm", "--entrypoint", "echo", "debian", "a", "b"}).out, "a b\n");
  EXPECT_EQ(strata({"run", "--rm", "--entrypoint", "", "debian", "echo", "c"}).out, "c\n");
}

TEST_F(Run, HostnameAndFilesOfEtc) {
  const auto done = shell(
      "hostname; cat /etc/hostname; grep db.example /etc/hosts; "
      "echo '1.2.3.4 extra' >> /etc/hosts; tail -1 /etc/hosts",
      {"--hostname", "db.example"});
  EXPECT_EQ(done.out, "db.example\ndb.example\n127.0.1.1\tdb.example\n1.2.3.4 extra\n");
}

TEST_F(Run, NetworkNoneHasLoopbackOnly) {
  EXPECT_EQ(shell("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; "
                  "cat /sys/class/net/lo/operstate")
                .out,
            "lo\nunknown\n");
}

TEST_F(Run, NetworkHostIsTheHosts) {
  STRATA_ASSERT_OK(const auto ours, std::filesystem::exists("/etc/resolv.conf")
                                        ? read_file("/etc/resolv.conf")
                                        : Result<std::string>(""));
  const auto done =
      shell("readlink /proc/self/ns/net; cat /etc/resolv.conf", {"--network", "host"});
  std::error_code ec;
  const auto link = std::filesystem::read_symlink("/proc/self/ns/net", ec).string();
  EXPECT_EQ(done.out, link + "\n" + ours);
  EXPECT_EQ(strata({"run", "--network", "bridge", "debian", "true"}).status, 125);
}

TEST_F(Run, ReadOnlyRoot) {
  const auto done =
      shell("echo x > /file; echo x > /dev/shm/file && cat /dev/shm/file", {"--read-only"});
  EXPECT_EQ(done.out, "x\n");
  EXPECT_THAT(done.err, HasSubstr("Read-only file system"));
}

TEST_F(Run, Limits) {
  const auto pids =
      shell("sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait; echo done", {"--pids-limit", "3"});
  EXPECT_THAT(pids.err, HasSubstr("Cannot fork"));
  EXPECT_EQ(strata({"run", "--name", "hungry", "-m", "16m", "debian", "sh", "-c",
                    "x=$(head -c 100000000 /dev/zero | tr '\\0' x); echo $?"})
                .out,
            "");
  EXPECT_TRUE(inspect("hungry")["state"]["oom_killed"].get<bool>());
  EXPECT_EQ(shell("true", {"--cpus", "0.5"}).status, 0);
}

TEST_F(Run, DetachedPrintsTheIdAndGoesOn) {
  const auto id = ok({"run", "-d", "--rm", "debian", "sleep", "60"});
  ASSERT_EQ(id.size(), 64U);
  EXPECT_EQ(ok({"ps", "-q"}), id);
  ok({"kill", id});
  wait_for("the container to remove itself", [] { return leftovers().empty(); });
}

TEST_F(Run, DetachedFailsWithTheCommandsStatus) {
  EXPECT_EQ(strata({"run", "-d", "--rm", "debian", "no-such-command"}).status, 127);
  wait_for("all traces to go", [] { return leftovers().empty(); });
}

TEST_F(Run, WithoutRmTheContainerStays) {
  strata({"run", "--name", "stays", "debian", "sh", "-c", "echo kept > /file; exit 4"});
  const auto json = inspect("stays");
  EXPECT_EQ(json["state"]["status"], "exited");
  EXPECT_EQ(json["state"]["exit_code"], 4);
  STRATA_ASSERT_OK(const auto file, read_file(json["upper"].get<std::string>() + "/file"));
  EXPECT_EQ(file, "kept\n");
  EXPECT_EQ(strata({"run", "--name", "stays", "debian", "true"}).status, 125)
      << "the name is taken";
}

TEST_F(Run, AFailedStartIsKeptWithItsReason) {
  EXPECT_EQ(strata({"run", "--name", "failed", "debian", "no-such-command"}).status, 127);
  const auto state = inspect("failed")["state"];
  EXPECT_EQ(state["status"], "exited");
  EXPECT_EQ(state["exit_code"], 127);
  EXPECT_THAT(state["error"].get<std::string>(), HasSubstr("no-such-command"));
  EXPECT_EQ(strata({"start", "failed"}).status, 127);
}

TEST_F(Run, SignalsReachTheCommand) {
  const auto script = "trap 'echo got int; exit 9' INT; echo ready; while :; do sleep 0.1; done";
  const auto done = testing::run(
      {"bash", "-c",
       "coproc { exec \"$@\"; }; pid=$COPROC_PID; read -r line <&${COPROC[0]}; kill -INT $pid; "
       "cat <&${COPROC[0]}; wait $pid; echo status $?",
       "bash", command_line({})[0], "--root", root().string(), "run", "--rm", "debian", "sh", "-c",
       script});
  EXPECT_EQ(done.out, "got int\nstatus 9\n") << done.err;
}

TEST_F(Run, ASlowReaderDoesNotHoldUpTheContainer) {
  // More than pipes and sockets hold; nobody reads until the container has ended.
  const auto done = testing::run(
      {"bash", "-c",
       "\"$@\" run --name fast debian sh -c 'head -c 5000000 /dev/zero | tr \"\\0\" x; echo done' "
       "| "
       "{ until [ \"$(\"$@\" wait fast 2>/dev/null)\" = 0 ]; do sleep 0.05; done; wc -c; }",
       "bash", command_line({})[0], "--root", root().string()});
  EXPECT_EQ(done.out, "5000005\n") << done.err;
}

}  // namespace
}  // namespace strata::container
