// Further programs in a container, and what is said when a program can't be run.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <thread>

#include "tests/bundle/oci_fixture.h"
#include "tests/support/descriptor_socket.h"
#include "unionfs/base/file.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {
namespace {

using ::testing::AllOf;
using testing::DescriptorSocket;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What a terminal shows until `end` was seen or nothing comes for ten seconds.
std::string read_until(int fd, const std::string& end) {
  std::string text;
  while (text.find(end) == std::string::npos) {
    pollfd ready{fd, POLLIN, 0};
    constexpr int kPatience = 10'000;
    std::array<char, 4096> buffer{};
    if (::poll(&ready, 1, kPatience) <= 0) break;
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) break;
    text.append(buffer.data(), static_cast<size_t>(n));
  }
  return text;
}

class ExecTest : public OciTest {
 protected:
  void run_sleeper(const std::function<void(Json&)>& change = [](Json&) {}) {
    write_shell("sleep 100", change);
    ok({"run", "-d", "c1"});
  }
};

TEST_F(ExecTest, ReturnsStatusAndStreams) {
  run_sleeper();
  const auto done = oci({"exec", "c1", "sh", "-c", "echo out; echo err >&2; exit 5"});
  EXPECT_EQ(done.status, 5);
  EXPECT_EQ(done.out, "out\n");
  EXPECT_EQ(done.err, "err\n");
  EXPECT_EQ(oci({"exec", "c1", "sh", "-c", "kill -9 $$"}).status, 128 + 9);
}

TEST_F(ExecTest, ChangesTheProcess) {
  run_sleeper();
  EXPECT_THAT(ok({"exec", "--env", "A=b", "--cwd", "/tmp", "--user", "7:8", "-g", "9", "c1", "sh",
                  "-c", "echo $A; pwd; id -u; id -g; id -G"}),
              StartsWith("b\n/tmp\n7\n8\n8 9\n"));
  EXPECT_THAT(ok({"exec", "--cap", "CAP_SYS_ADMIN", "c1", "grep", "CapEff", "/proc/self/status"}),
              HasSubstr("20200420"));
}

TEST_F(ExecTest, TakesAProcessFromAFile) {
  run_sleeper();
  std::ofstream(temp_ / "process.json")
      << R"({"args": ["sh", "-c", "echo $X; pwd"], "cwd": "/etc", "env": ["PATH=/bin", "X=y"],
            "user": {"uid": 0, "gid": 0}})";
  EXPECT_EQ(ok({"exec", "--process", (temp_ / "process.json").string(), "c1"}), "y\n/etc\n");
}

TEST_F(ExecTest, RunsDetached) {
  run_sleeper();
  const auto pid_file = temp_ / "exec.pid";
  ok({"exec", "--detach", "--pid-file", pid_file.string(), "c1", "sleep", "50"});
  const auto pid = read_file(pid_file).value_or("");
  EXPECT_THAT(read_file("/proc/" + pid + "/cmdline").value_or(""), HasSubstr("sleep"));
  EXPECT_EQ(Json::parse(ok({"ps", "--format", "json", "c1"})).size(), 2U);
}

TEST_F(ExecTest, SaysInRuncsWordsWhatCannotBeRun) {
  run_sleeper();
  std::ofstream(rootfs_ / "etc/plain") << "text\n";
  const auto missing = oci({"exec", "c1", "nosuch"});
  EXPECT_EQ(missing.status, 255);
  EXPECT_THAT(missing.err, HasSubstr("exec: \\\"nosuch\\\": executable file not found in $PATH"));
  EXPECT_THAT(oci({"exec", "c1", "/nosuch"}).err, HasSubstr("no such file or directory"));
  EXPECT_THAT(oci({"exec", "c1", "/etc/plain"}).err,
              HasSubstr("exec: \\\"/etc/plain\\\": permission denied"));
  EXPECT_THAT(oci({"exec", "c1", "/etc"}).err, HasSubstr("permission denied"));
  EXPECT_EQ(oci({"exec", "nosuch", "true"}).status, 255);
}

TEST_F(ExecTest, CreateFailsAsRuncDoes) {
  STRATA_NEEDS_PROGRAM("runc");
  std::ofstream(rootfs_ / "etc/plain") << "text\n";
  for (const auto* program : {"nosuch", "/nosuch", "/etc/plain"}) {
    write_config({program});
    const auto ours = oci({"create", "c1"});
    const auto theirs = oci({"create", "c1"}, Runtime::kRunc);
    EXPECT_EQ(ours.status, theirs.status) << program;
    for (const auto* words :
         {"executable file not found in $PATH", "no such file or directory", "permission denied"})
      EXPECT_EQ(ours.err.find(words) != std::string::npos,
                theirs.err.find(words) != std::string::npos)
          << words << "\n"
          << ours.err << theirs.err;
    EXPECT_EQ(leftovers(), "") << program;
    EXPECT_EQ(oci({"run", "c1"}).status, oci({"run", "c1"}, Runtime::kRunc).status) << program;
    EXPECT_EQ(leftovers(), "") << program;
  }
}

// What is there and can't be executed is found out after everybody else has gone.
TEST_F(ExecTest, LetsAProgramTellThatItCannotBeExecutedAsRuncDoes) {
  STRATA_NEEDS_PROGRAM("runc");
  const auto write_program = [&](const char* name, const char* text) {
    std::ofstream(rootfs_ / "bin" / name) << text;
    std::filesystem::permissions(rootfs_ / "bin" / name, std::filesystem::perms(0755));
  };
  write_program("text", "text\n");
  write_program("script", "#!/no/interpreter\n");
  write_program("forbidden", "#!/etc/plain\n");
  std::ofstream(rootfs_ / "etc/plain") << "text\n";
  const auto all_ways = [&](const std::string& program, Runtime runtime) {
    std::string seen;
    const auto note = [&](const Completed& done) {
      seen += std::to_string(done.status) + ": " + done.err + done.out;
    };
    write_config({program});
    note(oci({"run", "c1"}, runtime));
    note(oci({"create", "c1"}, runtime));
    const auto told = last_output().string() + ".err";
    note(oci({"start", "c1"}, runtime));
    wait_stopped("c1", runtime);
    seen += read_file(told).value_or("");
    ok({"delete", "c1"}, runtime);
    write_shell("sleep 100");
    ok({"run", "-d", "c1"}, runtime);
    note(oci({"exec", "c1", program}, runtime));
    ok({"kill", "c1", "KILL"}, runtime);
    wait_stopped("c1", runtime);
    ok({"delete", "c1"}, runtime);
    return seen;
  };
  for (const auto* program : {"text", "/bin/text", "/bin/script", "/bin/forbidden"})
    EXPECT_EQ(all_ways(program, Runtime::kStrata), all_ways(program, Runtime::kRunc)) << program;
  EXPECT_THAT(all_ways("/bin/text", Runtime::kStrata),
              StartsWith("1: exec /bin/text: exec format error\n"));
}

TEST_F(ExecTest, LogsForTheEngine) {
  const auto log = (temp_ / "log").string();
  EXPECT_EQ(oci({"--log", log, "--log-format", "json", "state", "nosuch"}).status, 1);
  const auto line = Json::parse(read_file(log).value_or(""));
  EXPECT_EQ(line.value("level", ""), "error");
  EXPECT_EQ(line.value("msg", ""), "container does not exist");
  EXPECT_THAT(line.value("time", ""), AllOf(HasSubstr("T"), HasSubstr("Z")));
}

TEST_F(ExecTest, HandsItsTerminalOver) {
  run_sleeper();
  DescriptorSocket socket(temp_ / "console");
  ok({"exec", "--tty", "--detach", "--console-socket", (temp_ / "console").string(), "c1", "sh",
      "-c", "tty; echo ready; read line; echo got $line"});
  const auto [name, master] = socket.receive();
  EXPECT_THAT(name, StartsWith("/dev/"));
  ASSERT_TRUE(master.valid());
  EXPECT_THAT(read_until(master.get(), "ready"), HasSubstr("/dev/pts/"));
  ASSERT_EQ(::write(master.get(), "hello\n", 6), 6);
  EXPECT_THAT(read_until(master.get(), "got hello"), HasSubstr("got hello"));
}

TEST_F(ExecTest, HandsTheFirstProcessesTerminalOver) {
  write_shell("tty; read line; echo got $line",
              [](Json& config) { config["process"]["terminal"] = true; });
  EXPECT_THAT(oci({"create", "c1"}).err, HasSubstr("console socket"));
  DescriptorSocket socket(temp_ / "console");
  ok({"create", "--console-socket", (temp_ / "console").string(), "c1"});
  const auto [name, master] = socket.receive();
  EXPECT_THAT(name, StartsWith("/dev/"));
  ASSERT_TRUE(master.valid());
  ok({"start", "c1"});
  EXPECT_THAT(read_until(master.get(), "/dev/"), HasSubstr("/dev/"));
  ASSERT_EQ(::write(master.get(), "hello\n", 6), 6);
  EXPECT_THAT(read_until(master.get(), "got hello"), HasSubstr("got hello"));
  wait_stopped("c1");
  ok({"delete", "c1"});
}

TEST_F(ExecTest, PassesDescriptors) {
  write_shell("ls /proc/self/fd; cat <&3");
  std::ofstream(temp_ / "given") << "given\n";
  std::string line = "exec";
  for (const auto& word : command_line({"run", "--preserve-fds", "1", "c1"})) line += " " + word;
  const auto done =
      run_command({.argv = {"sh", "-c", line + " 3<" + (temp_ / "given").string() + " 4</dev/null"},
                   .directory = bundle_});
  ASSERT_TRUE(done);
  EXPECT_THAT(done->out, HasSubstr("given"));
  EXPECT_THAT(done->out, StartsWith("0\n1\n2\n3\n"));
  EXPECT_EQ(done->out.find("\n5\n"), std::string::npos) << done->out;
}

}  // namespace
}  // namespace strata::bundle
