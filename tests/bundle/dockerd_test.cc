// Docker with strata-oci as an added and as its default runtime, and with runc beside it.

#include <fstream>

#include "tests/bundle/engine_fixture.h"

namespace strata::bundle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// By path: another program of that name may come first in PATH.
constexpr const char* kDocker = "/usr/bin/docker";

class DockerdTest : public EngineTest {
 protected:
  void SetUp() override {
    STRATA_NEEDS_PROGRAM("dockerd");
    STRATA_NEEDS_PROGRAM(kDocker);
    STRATA_NEEDS_PROGRAM("runc");
    EngineTest::SetUp();
  }

  // The daemon, with the Debian root file system as image "debian".
  void start(const std::vector<std::string>& options) {
    const auto config = ground_ / "daemon.json";
    std::ofstream(config) << "{}\n";
    std::vector<std::string> line{
        "dockerd", "--config-file", config, "--data-root", ground_ / "store", "--exec-root",
        "/run/docker", "--pidfile", "/run/docker.pid", "--host", "unix:///run/d.sock",
        "--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver", "overlay2",
        "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", cgroup_parent_,
        // Below any machine's hard limits: they needn't be raised.
        "--default-ulimit", "nofile=1024:1024", "--add-runtime",
        "strata=" + testing::own_program("strata-oci")};
    line.insert(line.end(), options.begin(), options.end());
    start_daemon(line, docker_line({"info"}));
    if (HasFatalFailure()) return;
    ASSERT_EQ(docker({"import", make_image_tar(), "debian"}).status, 0);
  }

  static std::vector<std::string> docker_line(const std::vector<std::string>& arguments) {
    std::vector<std::string> line{kDocker, "--host", "unix:///run/d.sock"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    return line;
  }
  static Completed docker(const std::vector<std::string>& arguments) {
    return EngineTest::run(docker_line(arguments), {"HOME=/run"});
  }
  // `docker run` of the image by a runtime.
  static std::vector<std::string> run_arguments(const std::vector<std::string>& options,
                                                const std::vector<std::string>& command,
                                                const std::string& runtime = "strata") {
    std::vector<std::string> line{"run", "--runtime", runtime, "--network", "none"};
    line.insert(line.end(), options.begin(), options.end());
    line.emplace_back("debian");
    line.insert(line.end(), command.begin(), command.end());
    return line;
  }
  static std::string inspect(const std::string& format, const std::string& container) {
    return docker({"inspect", "--format", format, container}).out;
  }
  static std::string status(const std::string& container) {
    return inspect("{{.State.Status}} {{.State.ExitCode}}", container);
  }
};

TEST_F(DockerdTest, RunsContainersAsWithRunc) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  const auto done = docker(
      run_arguments({"--rm"}, {"sh", "-c", "id -u; ls /sys/class/net; echo err >&2; exit 7"}));
  EXPECT_EQ(done.status, 7) << done.err;
  EXPECT_EQ(done.out, "0\nlo\n");
  EXPECT_EQ(done.err, "err\n");
  struct Case {
    std::string program;
    int status;
  };
  for (const auto& [program, status] :
       {Case{"nosuch", 127}, Case{"/nosuch", 127}, Case{"/not-executable", 126}, Case{"/etc", 126},
        Case{"/no-program", 1}, Case{"/no-interpreter", 1}}) {
    EXPECT_EQ(docker(run_arguments({"--rm"}, {program})).status, status) << program;
    EXPECT_EQ(docker(run_arguments({"--rm"}, {program}, "runc")).status, status) << program;
  }
  EXPECT_THAT(docker(run_arguments({"--rm"}, {"/no-program"})).err,
              HasSubstr("exec /no-program: exec format error"));
}

TEST_F(DockerdTest, DrivesARunningContainer) {
  ASSERT_NO_FATAL_FAILURE(start({}));
  const auto started = docker(run_arguments({"--detach", "--name", "c1", "--memory", "64m"},
                                            {"sh", "-c", "echo logged; exec sleep 100"}));
  ASSERT_EQ(started.status, 0) << started.err;
  ASSERT_EQ(docker(run_arguments({"--detach", "--name", "c2"}, {"sleep", "100"}, "runc")).status,
            0);

  const auto entered = docker({"exec", "--env", "A=b", "c1", "sh", "-c", "echo $A; exit 4"});
  EXPECT_EQ(entered.status, 4) << entered.err;
  EXPECT_EQ(entered.out, "b\n");
  for (const char* program : {"nosuch", "/not-executable", "/no-program", "/no-interpreter"})
    EXPECT_EQ(docker({"exec", "c1", program}).status, docker({"exec", "c2", program}).status)
        << program;
  EXPECT_EQ(docker({"logs", "c1"}).out, "logged\n");
  EXPECT_THAT(docker({"top", "c1"}).out, HasSubstr("sleep 100"));

  // Of the container's own cgroups: it sleeps.
  const std::string format = "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}";
  EXPECT_THAT(docker({"stats", "--no-stream", "--format", format, "c1"}).out,
              MatchesRegex("[01]\\.[0-9]+% .* / 64MiB 1\n"));
  EXPECT_EQ(docker({"update", "--memory", "128m", "--memory-swap", "128m", "c1"}).status, 0);
  EXPECT_THAT(docker({"stats", "--no-stream", "--format", format, "c1"}).out,
              HasSubstr("/ 128MiB"));

  EXPECT_EQ(docker({"pause", "c1"}).status, 0);
  EXPECT_EQ(status("c1"), "paused 0\n");
  EXPECT_EQ(docker({"unpause", "c1"}).status, 0);
  EXPECT_EQ(status("c1"), "running 0\n");

  EXPECT_EQ(docker({"stop", "--time", "1", "c1"}).status, 0);
  EXPECT_EQ(status("c1"), "exited 137\n");
  EXPECT_EQ(docker({"start", "c1"}).status, 0);
  EXPECT_EQ(docker({"restart", "--time", "1", "c1"}).status, 0);
  EXPECT_EQ(docker({"kill", "--signal", "KILL", "c1"}).status, 0);
  EXPECT_EQ(docker({"wait", "c1"}).out, "137\n");
  EXPECT_EQ(docker({"rm", "c1"}).status, 0);
  EXPECT_EQ(docker({"rm", "--force", "c2"}).status, 0);
}

TEST_F(DockerdTest, IsTheDefaultRuntime) {
  ASSERT_NO_FATAL_FAILURE(start({"--default-runtime", "strata"}));
  EXPECT_THAT(docker({"info", "--format", "{{.DefaultRuntime}}"}).out, HasSubstr("strata"));
  const std::vector<std::string> options{"run", "--rm", "--network", "none"};
  const auto plain = [&](std::vector<std::string> more) {
    std::vector<std::string> line = options;
    line.insert(line.end(), more.begin(), more.end());
    return line;
  };
  // Docker's own first process, its terminals and its health check.
  EXPECT_EQ(docker(plain({"--init", "debian", "cat", "/proc/1/comm"})).out, "docker-init\n");
  // A terminal's size comes after the start, whatever the runtime.
  const std::string look = "tty; until stty size | grep -q '33 77'; do sleep 0.1; done; stty size";
  const auto shown = EngineTest::run_on_terminal(
      docker_line(plain({"-it", "debian", "sh", "-c", look + "; exit 3"})));
  EXPECT_EQ(shown.status, 3);
  EXPECT_THAT(shown.out, AllOf(HasSubstr("/dev/pts/0"), HasSubstr("33 77")));

  const auto checked =
      docker({"run", "--detach", "--name", "c1", "--network", "none", "--health-cmd", "true",
              "--health-interval", "200ms", "debian", "sleep", "100"});
  ASSERT_EQ(checked.status, 0) << checked.err;
  EXPECT_EQ(inspect("{{.HostConfig.Runtime}}", "c1"), "strata\n");
  for (int round = 0; round < 100 && inspect("{{.State.Health.Status}}", "c1") != "healthy\n";
       ++round) {
  }
  EXPECT_EQ(inspect("{{.State.Health.Status}}", "c1"), "healthy\n");
  const auto further =
      EngineTest::run_on_terminal(docker_line({"exec", "-it", "c1", "sh", "-c", look}));
  EXPECT_THAT(further.out, AllOf(HasSubstr("/dev/pts/"), HasSubstr("33 77")));
  EXPECT_EQ(docker({"rm", "--force", "c1"}).status, 0);
}

}  // namespace
}  // namespace strata::bundle
