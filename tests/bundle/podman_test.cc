// Podman drives strata-oci: containers, pods and terminals.

#include <fstream>

#include "tests/bundle/engine_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Podman's defaults where a plain machine without systemd allows them; limits below any machine's
// hard ones, so that they needn't be raised.
constexpr const char* kConfiguration = R"([containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
)";

class PodmanTest : public EngineTest {
 protected:
  void SetUp() override {
    STRATA_NEEDS_PROGRAM("podman");
    EngineTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::ofstream(ground_ / "containers.conf") << kConfiguration;
  }

  void TearDown() override {
    if (std::filesystem::exists(ground_ / "store")) {
      podman({"pod", "rm", "--all", "--force", "--time", "0"});
      podman({"rm", "--all", "--force", "--time", "0"});
    }
    EngineTest::TearDown();
  }

  [[nodiscard]] std::vector<std::string> podman_line(
      const std::vector<std::string>& arguments) const {
    std::vector<std::string> line{
        "podman",           "--runtime",   testing::own_program("strata-oci"),
        "--storage-driver", "overlay",     "--cgroup-manager",
        "cgroupfs",         "--root",      ground_ / "store",
        "--runroot",        "/run/podman", "--tmpdir",
        "/run/libpod"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    return line;
  }
  [[nodiscard]] std::vector<std::string> environment() const {
    return {"CONTAINERS_CONF=" + (ground_ / "containers.conf").string()};
  }
  Completed podman(const std::vector<std::string>& arguments) const {
    return EngineTest::run(podman_line(arguments), environment());
  }
  [[nodiscard]] Completed podman_on_terminal(const std::vector<std::string>& arguments) const {
    return EngineTest::run_on_terminal(podman_line(arguments), environment());
  }

  // `podman run` of the image, which is a directory: nothing has to be imported.
  [[nodiscard]] std::vector<std::string> run_arguments(
      const std::vector<std::string>& options, const std::vector<std::string>& command) const {
    std::vector<std::string> line{"run"};
    line.insert(line.end(), options.begin(), options.end());
    line.insert(line.end(), {"--rootfs", rootfs().string() + ":O"});
    line.insert(line.end(), command.begin(), command.end());
    return line;
  }
  // Of a container on its own, in cgroups of the test's.
  [[nodiscard]] Completed run(std::vector<std::string> options,
                              const std::vector<std::string>& command) const {
    options.insert(options.end(), {"--network", "none", "--cgroup-parent", cgroup_parent_});
    return podman(run_arguments(options, command));
  }
  [[nodiscard]] std::string inspect(const std::string& format, const std::string& container) const {
    return podman({"inspect", "--format", format, container}).out;
  }
};

TEST_F(PodmanTest, RunsContainers) {
  const auto done = run({"--rm"}, {"sh", "-c", "cat /etc/debian_version; echo err >&2; exit 3"});
  EXPECT_EQ(done.status, 3) << done.err;
  EXPECT_EQ(done.out, read_file(rootfs() / "etc/debian_version").value_or("?"));
  EXPECT_THAT(done.err, HasSubstr("err\n"));
  EXPECT_EQ(run({"--rm"}, {"nosuch"}).status, 127);
  EXPECT_EQ(run({"--rm"}, {"/not-executable"}).status, 126);
  const auto text = run({"--rm"}, {"/no-program"});
  EXPECT_EQ(text.status, 1);
  EXPECT_THAT(text.err, HasSubstr("exec /no-program: exec format error"));
  const auto limited = run({"--rm", "--memory", "64m", "--user", "33:33", "--read-only"},
                           {"sh", "-c", "id -u; touch /x 2>&1"});
  EXPECT_NE(limited.status, 0);
  EXPECT_THAT(limited.out, HasSubstr("33\n"));
  EXPECT_THAT(limited.out, HasSubstr("Read-only file system")) << limited.err;
}

TEST_F(PodmanTest, DrivesARunningContainer) {
  const auto started = run({"-d", "--name", "c1"}, {"sh", "-c", "echo logged; exec sleep 100"});
  ASSERT_EQ(started.status, 0) << started.err;
  const auto entered = podman({"exec", "--env", "A=b", "c1", "sh", "-c", "echo $A; exit 4"});
  EXPECT_EQ(entered.status, 4) << entered.err;
  EXPECT_EQ(entered.out, "b\n");
  EXPECT_EQ(podman({"exec", "c1", "nosuch"}).status, 127);
  EXPECT_EQ(podman({"exec", "c1", "/not-executable"}).status, 126);
  EXPECT_EQ(podman({"exec", "-d", "c1", "touch", "/tmp/made"}).status, 0);
  EXPECT_EQ(podman({"logs", "c1"}).out, "logged\n");
  EXPECT_THAT(podman({"top", "c1"}).out, HasSubstr("sleep"));
  EXPECT_THAT(podman({"stats", "--no-stream", "c1"}).out, HasSubstr("c1"));
  EXPECT_EQ(podman({"pause", "c1"}).status, 0);
  EXPECT_EQ(inspect("{{.State.Status}}", "c1"), "paused\n");
  EXPECT_EQ(podman({"unpause", "c1"}).status, 0);
  const auto saved = podman({"container", "checkpoint", "c1"});
  EXPECT_NE(saved.status, 0);
  EXPECT_THAT(saved.err, HasSubstr("heckpoint"));
  const auto stopped = podman({"stop", "--time", "1", "c1"});
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_EQ(inspect("{{.State.Status}} {{.State.ExitCode}}", "c1"), "exited 137\n");
  EXPECT_EQ(podman({"start", "c1"}).status, 0);
  EXPECT_EQ(podman({"restart", "--time", "0", "c1"}).status, 0);
  EXPECT_EQ(inspect("{{.State.Status}}", "c1"), "running\n");
  EXPECT_EQ(podman({"kill", "--signal", "KILL", "c1"}).status, 0);
  EXPECT_EQ(podman({"wait", "c1"}).out, "137\n");
  EXPECT_EQ(podman({"rm", "--force", "--time", "0", "c1"}).status, 0);
}

// Podman goes by the runtime's file name for what it may ask of it.
TEST_F(PodmanTest, ReadsTheLogAsJson) {
  std::ofstream(ground_ / "containers.conf", std::ios::app)
      << "runtime_supports_json = [\"strata-oci\"]\n";
  const auto missing = run({"--rm"}, {"nosuch"});
  EXPECT_EQ(missing.status, 127);
  EXPECT_THAT(missing.err,
              AllOf(HasSubstr("executable file not found in $PATH"), Not(HasSubstr("level="))));
  EXPECT_EQ(run({"--rm"}, {"/not-executable"}).status, 126);
}

TEST_F(PodmanTest, GivesTerminals) {
  const auto first = run({"--rm", "-t"}, {"tty"});
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("/dev/pts/"));
  ASSERT_EQ(run({"-d", "--name", "c1"}, {"sleep", "100"}).status, 0);
  const auto further = podman_on_terminal({"exec", "-it", "c1", "sh", "-c", "tty; stty size"});
  EXPECT_THAT(further.out, AllOf(HasSubstr("/dev/pts/"), HasSubstr("33 77")));
}

TEST_F(PodmanTest, PutsAFirstProcessIn) {
  STRATA_NEEDS_PROGRAM("catatonit");
  const auto done = run({"--rm", "--init"}, {"cat", "/proc/1/comm"});
  EXPECT_EQ(done.out, "podman-init\n") << done.err;
}

TEST_F(PodmanTest, DrivesAPod) {
  STRATA_NEEDS_PROGRAM("catatonit");  // is the first process of a pod
  const auto made =
      podman({"pod", "create", "--name", "p1", "--network", "none", "--hostname", "podhost",
              "--share", "net,ipc,uts", "--cgroup-parent", cgroup_parent_});
  ASSERT_EQ(made.status, 0) << made.err;
  const auto started =
      podman(run_arguments({"-d", "--pod", "p1", "--name", "c1"}, {"sleep", "100"}));
  ASSERT_EQ(started.status, 0) << started.err;
  const std::string look =
      "readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/uts; hostname";
  const auto in_first = podman({"exec", "c1", "sh", "-c", look});
  const auto in_second =
      podman(run_arguments({"--rm", "--pod", "p1", "--name", "c2"}, {"sh", "-c", look}));
  EXPECT_EQ(in_first.out, in_second.out) << in_first.err << in_second.err;
  EXPECT_THAT(in_first.out, HasSubstr("podhost"));
  EXPECT_THAT(podman({"pod", "ps"}).out, AllOf(HasSubstr("p1"), HasSubstr("Running")));
  EXPECT_EQ(podman({"pod", "pause", "p1"}).status, 0);
  EXPECT_EQ(podman({"pod", "unpause", "p1"}).status, 0);
  const auto stopped = podman({"pod", "stop", "--time", "0", "p1"});
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_THAT(podman({"pod", "ps"}).out, HasSubstr("Exited"));
  EXPECT_EQ(podman({"pod", "rm", "p1"}).status, 0);
}

}  // namespace
}  // namespace strata::bundle
