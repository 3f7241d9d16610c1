// containerd drives strata-oci through its shim for runc, as Kubernetes has it do.

#include <chrono>
#include <fstream>
#include <thread>

#include "tests/bundle/engine_fixture.h"

namespace strata::bundle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ContainerdTest : public EngineTest {
 protected:
  void SetUp() override {
    STRATA_NEEDS_PROGRAM("containerd");
    STRATA_NEEDS_PROGRAM("runc");
    EngineTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const auto config = ground_ / "config.toml";
    std::ofstream(config) << "version = 2\nroot = \"" << (ground_ / "store").string()
                          << "\"\nstate = \"/run/containerd\"\n"
                             "disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n"
                             "[grpc]\n  address = \"/run/containerd.sock\"\n"
                             "[plugins.\"io.containerd.internal.v1.opt\"]\n  path = \""
                          << (ground_ / "opt").string() << "\"\n";
    start_daemon({"containerd", "--config", config}, ctr_line({"version"}));
  }

  static std::vector<std::string> ctr_line(const std::vector<std::string>& arguments) {
    std::vector<std::string> line{"ctr", "--address", "/run/containerd.sock"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    return line;
  }
  static Completed ctr(const std::vector<std::string>& arguments) {
    return EngineTest::run(ctr_line(arguments));
  }

  // `ctr run` with the root file system and what is to be run in it.
  [[nodiscard]] std::vector<std::string> run_arguments(
      const std::vector<std::string>& options, const std::string& id,
      const std::vector<std::string>& command,
      const std::string& runtime = testing::own_program("strata-oci")) const {
    std::vector<std::string> line{"run",
                                  "--runc-binary",
                                  runtime,
                                  "--cgroup",
                                  cgroup_parent_ + "/" + id,
                                  "--env",
                                  "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    line.insert(line.end(), options.begin(), options.end());
    line.insert(line.end(), {"--rootfs", rootfs(), id});
    line.insert(line.end(), command.begin(), command.end());
    return line;
  }

  static std::string task_list() { return ctr({"task", "ls"}).out; }
  static void wait_for_task(const std::string& status) {
    for (int round = 0; round < 1000 && task_list().find(status) == std::string::npos; ++round)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_THAT(task_list(), HasSubstr(status));
  }
};

TEST_F(ContainerdTest, RunsContainersAsWithRunc) {
  const auto done = ctr(run_arguments({"--rm"}, "c1", {"sh", "-c", "id -u; echo err >&2; exit 7"}));
  EXPECT_EQ(done.status, 7) << done.err;
  EXPECT_EQ(done.out, "0\n");
  EXPECT_EQ(done.err, "err\n");
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"true"},
                                             {"nosuch"},
                                             {"/nosuch"},
                                             {"/not-executable"},
                                             {"/no-program"},
                                             {"/no-interpreter"},
                                             {"/etc"},
                                             {"sh", "-c", "kill -9 $$"}}) {
    const auto ours = ctr(run_arguments({"--rm"}, "c1", command));
    const auto theirs = ctr(run_arguments({"--rm"}, "c2", command, "runc"));
    EXPECT_EQ(ours.status, theirs.status) << command.front() << ": " << ours.err << theirs.err;
    auto words = theirs.err;
    if (const auto at = words.find("runc create failed: "); at != std::string::npos)
      words.erase(at, std::string("runc create failed: ").size());
    EXPECT_EQ(ours.err, words);
  }
}

TEST_F(ContainerdTest, DrivesARunningContainer) {
  const auto log = ground_ / "log";
  const auto started = ctr(run_arguments(
      {"--detach", "--memory-limit", "67108864", "--log-uri", "file://" + log.string()}, "c1",
      {"sh", "-c", "echo logged; exec sleep 100"}));
  ASSERT_EQ(started.status, 0) << started.err;
  const auto entered =
      ctr({"task", "exec", "--exec-id", "e1", "c1", "sh", "-c", "echo inside; exit 4"});
  EXPECT_EQ(entered.status, 4) << entered.err;
  EXPECT_EQ(entered.out, "inside\n");
  EXPECT_THAT(ctr({"task", "exec", "--exec-id", "e2", "c1", "nosuch"}).err,
              HasSubstr("executable file not found in $PATH"));
  // ctr may leave before it has copied what a process wrote that ended at once.
  std::string told;
  for (int i = 3; told.empty() && i < 13; ++i)
    told = ctr({"task", "exec", "--exec-id", "e" + std::to_string(i), "c1", "/no-program"}).err;
  EXPECT_THAT(told, HasSubstr("exec /no-program: exec format error"));
  EXPECT_EQ(EngineTest::run({"cat", log}).out, "logged\n");
  const auto ps = ctr({"task", "ps", "c1"});
  EXPECT_EQ(ps.status, 0) << ps.err;

  const auto metrics = ctr({"task", "metrics", "--format", "json", "c1"});
  EXPECT_THAT(metrics.out, HasSubstr("67108864")) << metrics.err;

  EXPECT_EQ(ctr({"task", "pause", "c1"}).status, 0);
  EXPECT_THAT(task_list(), HasSubstr("PAUSED"));
  EXPECT_EQ(ctr({"task", "resume", "c1"}).status, 0);
  EXPECT_THAT(task_list(), AllOf(HasSubstr("RUNNING"), Not(HasSubstr("PAUSED"))));

  EXPECT_EQ(ctr({"task", "kill", "--signal", "KILL", "c1"}).status, 0);
  wait_for_task("STOPPED");
  EXPECT_THAT(ctr({"task", "rm", "c1"}).err, HasSubstr("non-zero exit code 137"));
  EXPECT_EQ(ctr({"container", "rm", "c1"}).status, 0);
}

// ctr gives a terminal its size only once the program runs.
constexpr const char* kWaitForSize =
    "for i in $(seq 100); do stty size | grep -q '^0 0' || break; sleep 0.1; done; tty; stty "
    "size; ";

TEST_F(ContainerdTest, GivesTerminals) {
  const auto first = EngineTest::run_on_terminal(ctr_line(
      run_arguments({"--rm", "--tty"}, "c1", {"sh", "-c", kWaitForSize + std::string("exit 3")})));
  EXPECT_EQ(first.status, 3);
  EXPECT_THAT(first.out, AllOf(HasSubstr("/dev/pts/0"), HasSubstr("33 77")));
  ASSERT_EQ(ctr(run_arguments({"--detach"}, "c2", {"sleep", "100"})).status, 0);
  const auto further = EngineTest::run_on_terminal(
      ctr_line({"task", "exec", "--tty", "--exec-id", "e1", "c2", "sh", "-c", kWaitForSize}));
  EXPECT_THAT(further.out, AllOf(HasSubstr("/dev/pts/"), HasSubstr("33 77")));
  EXPECT_EQ(ctr({"task", "rm", "--force", "c2"}).status, 0);
  EXPECT_EQ(ctr({"container", "rm", "c2"}).status, 0);
}

}  // namespace
}  // namespace strata::bundle
