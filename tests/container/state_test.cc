#include "runtime/container/state.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "runtime/container/container.h"
#include "runtime/container/record.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "unionfs/base/file.h"

namespace strata::container {
namespace {

using testing::FailsWith;
using testing::IsOk;

TEST(ContainerState, AnswersForItself) {
  struct Case {
    Status status;
    bool start, kill, remove, recover;
  };
  for (const auto& c : {Case{Status::kCreated, true, false, true, false},
                        Case{Status::kRunning, false, true, false, false},
                        Case{Status::kExited, true, false, true, false},
                        Case{Status::kDead, true, false, true, true}}) {
    const State state{.status = c.status};
    EXPECT_EQ(state.can_start(), c.start) << status_name(c.status);
    EXPECT_EQ(state.can_kill(), c.kill) << status_name(c.status);
    EXPECT_EQ(state.can_exec(), c.kill) << status_name(c.status);
    EXPECT_EQ(state.can_remove(), c.remove) << status_name(c.status);
    EXPECT_EQ(state.needs_recovery(), c.recover) << status_name(c.status);
  }
}

TEST(ContainerState, SurvivesWritingAndReading) {
  State state;
  state.status = Status::kExited;
  state.process = {12, 3456789012345ULL, "boot"};
  state.monitor = {11, 7, "boot"};
  state.exit_code = 137;
  state.started = "2024-05-17T09:30:12.123456789Z";
  state.finished = "2024-05-17T09:31:12.123456789Z";
  state.oom_killed = true;
  state.error = "bytes that are not text: \xff";
  state.setup = {{"clone", std::chrono::nanoseconds(1234)}};
  STRATA_ASSERT_OK(const State read, state_from_json(to_json(state), "state"));
  EXPECT_EQ(read.status, state.status);
  EXPECT_EQ(read.process, state.process);
  EXPECT_EQ(read.monitor, state.monitor);
  EXPECT_EQ(read.exit_code, 137);
  EXPECT_EQ(read.started, state.started);
  EXPECT_EQ(read.finished, state.finished);
  EXPECT_TRUE(read.oom_killed);
  EXPECT_EQ(read.error, "bytes that are not text: \xef\xbf\xbd");
  ASSERT_EQ(read.setup.size(), 1U);
  EXPECT_EQ(read.setup[0].step, "clone");
  EXPECT_EQ(read.setup[0].took.count(), 1234);
}

TEST(ContainerState, RefusesNonsense) {
  EXPECT_THAT(state_from_json("{", "state"), FailsWith(EINVAL, "state"));
  EXPECT_THAT(state_from_json("[]", "state"), FailsWith(EINVAL));
  EXPECT_THAT(state_from_json(R"({"status":"dead"})", "state"), FailsWith(EINVAL, "dead"));
  EXPECT_THAT(state_from_json(R"({"status":"exited","exit_code":"7"})", "state"),
              FailsWith(EINVAL, "exit_code"));
}

class RecordedState : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = image::Store::open(dir_ / "store");
    ASSERT_THAT(store, IsOk());
    Record record;
    record.id = std::string(64, 'a');
    record.name = "web";
    container_.emplace(*store, record);
    ASSERT_THAT(make_dirs(container_->files().dir()), IsOk());
  }

  [[nodiscard]] Status load() const {
    const auto state = container_->state();
    EXPECT_THAT(state, IsOk());
    return state ? state->status : Status::kCreated;
  }

  testing::TempDir dir_;
  std::optional<Container> container_;
};

TEST_F(RecordedState, NoneMeansCreated) {
  EXPECT_EQ(load(), Status::kCreated);
}

TEST_F(RecordedState, StandsBesideTheRecord) {
  ASSERT_THAT(container_->save({.status = Status::kExited, .exit_code = 7}), IsOk());
  EXPECT_EQ(load(), Status::kExited);
  STRATA_ASSERT_OK(const auto same, Container::load(container_->store(), container_->id()));
  EXPECT_EQ(same.name(), "web");
  EXPECT_THAT(write_file_atomic(container_->files().record(), to_json(container_->record())),
              IsOk());
  EXPECT_THAT(container_->state(), FailsWith(EINVAL, "container.json"));
}

TEST_F(RecordedState, RunningIsBelievedOnlyWithALivingMonitor) {
  State state{.status = Status::kRunning};
  STRATA_ASSERT_OK(state.monitor, identify(::getpid()));
  ASSERT_THAT(container_->save(state), IsOk());
  EXPECT_EQ(load(), Status::kRunning);

  // The same number, but another process.
  ++state.monitor.start_ticks;
  ASSERT_THAT(container_->save(state), IsOk());
  EXPECT_EQ(load(), Status::kDead);
  --state.monitor.start_ticks;

  // The same number and time, but of another boot.
  state.monitor.boot_id = "00000000-0000-0000-0000-000000000000";
  ASSERT_THAT(container_->save(state), IsOk());
  EXPECT_EQ(load(), Status::kDead);
}

TEST(ProcessIdentity, ReadsStatWhateverTheProgramIsCalled) {
  const std::string rest = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
  for (const std::string name : {"sh", "a b", ") R 1 2", "x) S (y", ""}) {
    const auto stat = parse_stat("77 (" + name + ") S" + rest);
    ASSERT_TRUE(stat.has_value()) << name;
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->start_ticks, 4242U);
  }
  EXPECT_EQ(parse_stat(""), std::nullopt);
  EXPECT_EQ(parse_stat("77 (sh) S 1 2"), std::nullopt);
}

TEST(ProcessIdentity, KnowsTheDead) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  STRATA_ASSERT_OK(const auto identity, identify(child));
  EXPECT_TRUE(is_alive(identity));
  EXPECT_THAT(send_signal(identity, SIGKILL), IsOk());
  // A zombie runs nothing any more.
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(is_alive(identity));
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(is_alive(identity));
  EXPECT_THAT(send_signal(identity, SIGKILL), FailsWith(ESRCH));
  EXPECT_THAT(identify(child), FailsWith(ESRCH));
  EXPECT_FALSE(is_alive(ProcessIdentity{}));
}

TEST(ContainerRecord, SurvivesWritingAndReading) {
  Record record;
  record.id = std::string(64, 'a');
  record.name = "web";
  record.image_id = "sha256:1";
  record.image_name = "debian";
  record.layers = {"sha256:2", "sha256:3"};
  record.args = {"sh", "-c", "echo \"x\""};
  record.env = {"A=b"};
  record.cwd = "/srv";
  record.user = "www-data:adm";
  record.network = Network::kHost;
  record.volumes = {{"/a", "/b", true}};
  record.limits.memory_limit = int64_t{1} << 40;
  record.limits.pids_limit = -1;
  record.terminal = record.open_stdin = record.auto_remove = record.read_only = true;
  STRATA_ASSERT_OK(const Record read, record_from_json(to_json(record), "record"));
  EXPECT_EQ(to_json(read), to_json(record));
  EXPECT_EQ(read.limits.memory_limit, int64_t{1} << 40);
  EXPECT_EQ(read.limits.cpu_quota, std::nullopt);
  EXPECT_EQ(read.volumes, record.volumes);
  EXPECT_THAT(record_from_json("7", "record"), FailsWith(EINVAL));
  EXPECT_THAT(record_from_json(R"({"network":"bridge"})", "record"), FailsWith(EINVAL, "bridge"));
}

}  // namespace
}  // namespace strata::container
