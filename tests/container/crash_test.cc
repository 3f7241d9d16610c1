// Whatever is killed, and whenever: nothing is left that `strata rm -f` or `strata prune` does not
// clear away, and the store checks out clean.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "runtime/container/container.h"
#include "runtime/container/names.h"
#include "runtime/container/prune.h"
#include "runtime/linux/cgroup.h"
#include "tests/container/program_fixture.h"
#include "tests/support/matchers.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;

// Starts a program without waiting for it, its streams to /dev/null.
pid_t spawn(const std::vector<std::string>& command) {
  std::vector<char*> argv;
  for (const auto& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t pid = -1;
  EXPECT_EQ(::posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ), 0);
  ::posix_spawn_file_actions_destroy(&actions);
  return pid;
}

class Crash : public ProgramTest {
 protected:
  static image::Store store() { return *image::Store::open(root()); }

  static State state_of(const std::string& name) {
    const auto container = Container::find(store(), name);
    EXPECT_THAT(container, IsOk());
    return container ? container->state().value_or(State{}) : State{};
  }

  // Kills the monitor of a running container and waits until it is gone.
  static State kill_monitor(const std::string& name) {
    const State state = state_of(name);
    EXPECT_THAT(send_signal(state.monitor, SIGKILL), IsOk());
    wait_for("the monitor's end", [&] { return !is_alive(state.monitor); });
    return state;
  }

  static void expect_clean() {
    const auto fsck = strata({"fsck"});
    EXPECT_EQ(fsck.status, 0) << fsck.out << fsck.err;
    EXPECT_EQ(leftovers(), "");
  }
};

TEST_F(Crash, AKilledMonitorMakesTheContainerDead) {
  const auto id = ok({"run", "-d", "--name", "web", "debian", "sleep", "60"});
  const State before = kill_monitor("web");
  EXPECT_TRUE(is_alive(before.process)) << "the container itself goes on";
  EXPECT_EQ(status_of("web"), "dead");
  EXPECT_EQ(ok({"ps", "-q"}), "");
  EXPECT_THAT(ok({"ps", "-a"}), HasSubstr("Dead"));
  EXPECT_EQ(strata({"exec", "web", "true"}).status, 125);
  EXPECT_EQ(strata({"wait", "web"}).status, 1);
  EXPECT_EQ(strata({"fsck"}).status, 1);
  EXPECT_EQ(ok({"rm", "web"}), "web");
  EXPECT_FALSE(is_alive(before.process));
  EXPECT_THAT(linux::Cgroup::existing(cgroup_path(id)).directories(), IsEmpty());
  expect_clean();
}

TEST_F(Crash, ADeadContainerCanBeStartedAgain) {
  ok({"run", "-d", "--name", "web", "debian", "sh", "-c",
      "echo x >> /runs; wc -l < /runs; sleep 60"});
  wait_for("the first run", [&] { return ok({"logs", "web"}) == "1"; });
  const State before = kill_monitor("web");
  EXPECT_EQ(ok({"start", "web"}), "web");
  EXPECT_FALSE(is_alive(before.process));
  wait_for("the second run", [&] { return ok({"logs", "web"}) == "1\n2"; });
}

TEST_F(Crash, PruneKeepsAUsersFilesAndRemovesTheRest) {
  ok({"run", "-d", "--name", "kept", "debian", "sh", "-c", "echo mine > /file; echo up; sleep 60"});
  ok({"run", "-d", "--rm", "--name", "gone", "debian", "sleep", "60"});
  wait_for("the file", [&] { return ok({"logs", "kept"}) == "up"; });
  const State kept = kill_monitor("kept");
  const State gone = kill_monitor("gone");
  STRATA_ASSERT_OK(const auto report, prune(store(), false));
  EXPECT_EQ(report.containers.size(), 1U);
  EXPECT_EQ(report.recovered.size(), 1U);
  EXPECT_FALSE(is_alive(kept.process));
  EXPECT_FALSE(is_alive(gone.process));
  const auto json = inspect("kept");
  EXPECT_EQ(json["state"]["status"], "exited");
  EXPECT_EQ(json["state"]["exit_code"], 137);
  EXPECT_THAT(json["state"]["error"].get<std::string>(), HasSubstr("monitor"));
  STRATA_ASSERT_OK(const auto file, read_file(json["upper"].get<std::string>() + "/file"));
  EXPECT_EQ(file, "mine\n");
  STRATA_ASSERT_OK(const auto all, prune(store(), true));
  EXPECT_EQ(all.containers.size(), 1U);
  EXPECT_GT(all.bytes, 0U);
  expect_clean();
}

TEST_F(Crash, PruneLeavesAloneWhatIsAlive) {
  ok({"run", "-d", "--name", "runs", "debian", "sleep", "60"});
  const std::string in_the_making(64, '0');
  const Files files(store(), in_the_making);
  ASSERT_THAT(make_dirs(files.dir()), IsOk());
  {
    STRATA_ASSERT_OK(const auto lock, ContainerLock::take(files, std::chrono::milliseconds(0)));
    STRATA_ASSERT_OK(const auto report, prune(store(), true));
    EXPECT_THAT(report.containers, IsEmpty());
    STRATA_ASSERT_OK(const auto problems, check(store()));
    EXPECT_THAT(problems, IsEmpty());
  }
  EXPECT_EQ(status_of("runs"), "running");
  STRATA_ASSERT_OK(const auto problems, check(store()));
  EXPECT_EQ(problems.size(), 1U) << "nobody is making it any more";
  STRATA_ASSERT_OK(const auto report, prune(store(), false));
  EXPECT_EQ(report.containers, std::vector{in_the_making});
}

TEST_F(Crash, StaleNamesAreFoundAndRemoved) {
  const std::string id(64, '1');
  ASSERT_THAT(make_dirs(Files(store(), id).dir()), IsOk());
  ASSERT_THAT(claim_name(store(), "stale", id), IsOk());
  ASSERT_THAT(remove_tree(Files(store(), id).dir()), IsOk());
  STRATA_ASSERT_OK(const auto problems, check(store()));
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(problems[0], HasSubstr("stale"));
  EXPECT_THAT(prune(store(), false), IsOk());
  expect_clean();
}

TEST_F(Crash, AHungMonitorDoesNotHinderRemoval) {
  ok({"run", "-d", "--name", "hung", "debian", "sleep", "60"});
  const State state = state_of("hung");
  ASSERT_THAT(send_signal(state.monitor, SIGSTOP), IsOk());
  EXPECT_EQ(ok({"rm", "-f", "hung"}), "hung");
  EXPECT_FALSE(is_alive(state.monitor));
  expect_clean();
}

TEST_F(Crash, AHungClientDoesNotHinderTheContainer) {
  const auto command = command_line({"run", "--name", "web", "debian", "sh", "-c",
                                     "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo done"});
  const pid_t client = spawn(command);
  wait_for("the container", [&] { return strata({"inspect", "web"}).status == 0; });
  ::kill(client, SIGSTOP);
  EXPECT_EQ(ok({"wait", "web"}), "0");
  EXPECT_EQ(ok({"logs", "--tail", "1", "web"}), "done");
  ::kill(client, SIGKILL);
  ::waitpid(client, nullptr, 0);
}

TEST_F(Crash, AFrozenContainerIsKilled) {
  ok({"run", "-d", "--name", "cold", "debian", "sleep", "60"});
  const auto container = Container::find(store(), "cold");
  ASSERT_THAT(container, IsOk());
  ASSERT_THAT(linux::Cgroup::existing(cgroup_path(container->id())).freeze(), IsOk());
  ok({"kill", "cold"});
  EXPECT_EQ(ok({"wait", "cold"}), "137");
}

TEST_F(Crash, PauseFreezesAndThaws) {
  ok({"run", "-d", "--name", "web", "debian", "sh", "-c",
      "while :; do date +%s%N > /now; sleep 0.01; done"});
  const auto container = Container::find(store(), "web");
  ASSERT_THAT(container, IsOk());
  const auto now = [&] { return read_file(container->files().upper() / "now").value_or(""); };
  wait_for("the first write", [&] { return !now().empty(); });
  {
    STRATA_ASSERT_OK(const auto pause, Pause::of(*container));
    const auto frozen = now();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_EQ(now(), frozen);
  }
  const auto thawed = now();
  wait_for("the next write", [&] { return now() != thawed; });
}

// Kills the client, its monitor, the container's first process, or all of them, at a random moment
// of a container's life; a short one, so that every phase is hit.
TEST_F(Crash, KilledAtRandomMoments) {
  constexpr int kRounds = 100;
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand random(seed);
  const auto kill_by_id = [&](const std::string& id, unsigned victim) {
    const auto container = Container::load(store(), id);
    if (!container) return;
    const auto state = container->state();
    if (state && (victim & 1U) != 0) (void)send_signal(state->monitor, SIGKILL);
    if (state && (victim & 2U) != 0) (void)send_signal(state->process, SIGKILL);
  };
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::string> arguments{"run"};
    if (random() % 2 == 0) arguments.emplace_back("--rm");
    if (random() % 2 == 0) arguments.emplace_back("-d");
    arguments.insert(arguments.end(), {"debian", "sh", "-c", "echo x; sleep 0.02; echo y"});
    const pid_t client = spawn(command_line(arguments));
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
    const auto victims = static_cast<unsigned>(1 + random() % 7);
    if ((victims & 4U) != 0) ::kill(client, SIGKILL);
    // Monitors are children of their client at first, and found by it as long as it lives.
    const auto children = read_file("/proc/" + std::to_string(client) + "/task/" +
                                    std::to_string(client) + "/children");
    if (children && !children->empty() && (victims & 1U) != 0)
      ::kill(std::stoi(*children), SIGKILL);
    const auto ids = container_ids(store());
    ASSERT_THAT(ids, IsOk());
    for (const auto& id : *ids) kill_by_id(id, victims);
    ::waitpid(client, nullptr, 0);
  }
  // Some may still be ending by themselves.
  wait_for("the last ones to end", [&] { return ok({"ps", "-q"}).empty(); });
  // A monitor may have recorded the end and be about to remove its container (--rm).
  wait_for("processes to go", [] { return leftovers().find("process ") == std::string::npos; });
  EXPECT_EQ(strata({"ps", "-a"}).status, 0);
  // Whose directory is gone has no cgroup any more, in this order; so these are all there can be.
  STRATA_ASSERT_OK(const auto ids, container_ids(store()));
  STRATA_ASSERT_OK(const auto report, prune(store(), true));
  EXPECT_EQ(report.containers.size(), ids.size());
  for (const auto& id : ids)
    EXPECT_THAT(linux::Cgroup::existing(cgroup_path(id)).directories(), IsEmpty()) << id;
  expect_clean();
}

}  // namespace
}  // namespace strata::container
