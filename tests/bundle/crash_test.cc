// Killed anywhere, `delete --force` clears everything away; and a v1 freezer is no trap.

#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <random>
#include <thread>

#include "runtime/linux/cgroup_hierarchies.h"
#include "tests/bundle/oci_fixture.h"
#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

class CrashTest : public OciTest {
 protected:
  // Starts the program and kills it after `delay`.
  void kill_after(std::vector<std::string> arguments, std::chrono::microseconds delay) {
    auto line = command_line(std::move(arguments));
    std::vector<char*> argv;
    argv.reserve(line.size() + 1);
    for (auto& word : line) argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    ASSERT_GE(pid, 0);
    if (pid == 0) {
      if (::chdir(bundle_.c_str()) == 0) ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    std::this_thread::sleep_for(delay);
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
  }
};

TEST_F(CrashTest, LeavesNothingAfterDelete) {
  write_shell("sleep 100");
  std::mt19937 random(1);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same delays every time
  std::uniform_int_distribution<int> delay(0, 6000);
  constexpr int kRounds = 60;
  for (int round = 0; round < kRounds; ++round) {
    const std::chrono::microseconds after(delay(random));
    kill_after(round % 2 == 0 ? std::vector<std::string>{"create", "c1"}
                              : std::vector<std::string>{"run", "-d", "c1"},
               after);
    ok({"delete", "--force", "c1"});
    ASSERT_EQ(leftovers(), "") << "killed after " << after.count() << " µs";
  }
}

TEST_F(CrashTest, CanRepeatADeleteThatWasCutOff) {
  std::mt19937 random(2);  // NOLINT(cert-msc32-c,cert-msc51-cpp)
  std::uniform_int_distribution<int> delay(0, 4000);
  write_shell("sleep 100");
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    ok({"run", "-d", "c1"});
    kill_after({"delete", "--force", "c1"}, std::chrono::microseconds(delay(random)));
    ok({"delete", "--force", "c1"});
    ASSERT_EQ(leftovers(), "");
  }
}

TEST_F(CrashTest, ForgetsADirectoryWithoutState) {
  std::filesystem::create_directories(root() / "c1");
  EXPECT_EQ(oci({"state", "c1"}).status, 1);
  EXPECT_EQ(oci({"delete", "c1"}).status, 1);
  EXPECT_EQ(leftovers(), "");
}

TEST_F(CrashTest, TakesNoOtherProcessForTheContainers) {
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  const auto path = root() / "c1/state.json";
  auto record = Json::parse(read_file(path).value_or(""));
  ok({"kill", "c1", "KILL"});
  wait_stopped("c1");
  // The number is taken again, by us.
  record["init"]["pid"] = ::getpid();
  std::ofstream(path) << record.dump();
  EXPECT_EQ(status("c1"), "stopped");
  EXPECT_EQ(oci({"kill", "c1", "KILL"}).status, 1);
  ok({"delete", "c1"});
}

TEST_F(CrashTest, ThawsAVersion1FreezerToKill) {
  // A host without the unified tree, as far as this test's mount namespace goes.
  const auto* unified = linux::CgroupHierarchies::host().unified();
  if (linux::CgroupHierarchies::host().v1("freezer") == nullptr)
    GTEST_SKIP() << "this host has no v1 freezer";
  if (unified != nullptr) {
    ASSERT_EQ(::umount2(unified->mount.c_str(), MNT_DETACH), 0);
  }
  write_shell("sleep 100");
  ok({"run", "-d", "c1"});
  ok({"pause", "c1"});
  EXPECT_EQ(status("c1"), "paused");
  ok({"kill", "c1", "KILL"});
  wait_stopped("c1");
  ok({"delete", "c1"});
  ok({"run", "-d", "c1"});
  ok({"pause", "c1"});
  ok({"delete", "--force", "c1"});
  EXPECT_EQ(leftovers(), "");
}

}  // namespace
}  // namespace strata::bundle
