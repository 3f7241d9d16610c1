// The real hierarchies of this host, below /strata-test.

#include "runtime/linux/cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <filesystem>
#include <new>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/linux/cgroup_files.h"
#include "runtime/linux/cgroup_hierarchies.h"
#include "runtime/linux/cgroup_resources.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

using testing::FailsWith;
using testing::IsOk;

class CgroupTest : public ::testing::Test {
 protected:
  void SetUp() override { STRATA_NEEDS_ROOT(); }
  void TearDown() override {
    for (const pid_t pid : children_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    if (cgroup_) {
      EXPECT_THAT(cgroup_->remove(), IsOk());
    }
    for (const auto& hierarchy : CgroupHierarchies::host().all()) {
      EXPECT_FALSE(std::filesystem::exists(hierarchy.mount + path_));
      ::rmdir((hierarchy.mount + "/strata-test").c_str());
    }
  }

  void create(const oci::Resources& resources) {
    auto made = Cgroup::create(path_, resources);
    ASSERT_THAT(made, IsOk());
    cgroup_.emplace(*std::move(made));
  }

  // A child that enters every hierarchy by itself and then does `work`.
  template <class Work>
  pid_t spawn(const Work& work) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      for (const auto& directory : cgroup_->directories())
        if (!write_cgroup_file(directory, "cgroup.procs", "0")) ::_exit(99);
      work();
      ::_exit(0);
    }
    children_.push_back(pid);
    return pid;
  }

  pid_t spawn_sleeper() {
    const pid_t pid = spawn([] {
      for (;;) ::pause();
    });
    while (cgroup_->processes().empty()) ::usleep(100);
    return pid;
  }

  int wait_for(pid_t pid) {
    std::erase(children_, pid);
    int status = 0;
    ::waitpid(pid, &status, 0);
    return status;
  }

  const Cgroup::Directory* directory_of(const char* controller) {
    const Cgroup::Directory* unified = nullptr;
    for (const auto& directory : cgroup_->directories()) {
      if (directory.unified) unified = &directory;
      if (std::find(directory.controllers.begin(), directory.controllers.end(), controller) !=
          directory.controllers.end())
        return &directory;
    }
    return unified;
  }

  std::string path_ = "/strata-test/" + std::to_string(::getpid());
  std::optional<Cgroup> cgroup_;
  std::vector<pid_t> children_;
};

TEST_F(CgroupTest, IsCreatedOnceAndRemovedWithWhatIsBelow) {
  create({});
  EXPECT_THAT(Cgroup::create(path_, {}), FailsWith(EEXIST, "strata-test"));
  for (const auto& directory : cgroup_->directories())
    ASSERT_TRUE(std::filesystem::create_directories(directory.path + "/a/b"));
  EXPECT_THAT(cgroup_->remove(), IsOk());
  EXPECT_THAT(cgroup_->remove(), IsOk());
}

TEST_F(CgroupTest, AppliesLimits) {
  oci::Resources resources;
  resources.memory_limit = 64 << 20;
  resources.pids_limit = 17;
  resources.cpu_quota = 50'000;
  resources.cpu_period = 100'000;
  resources.cpu_shares = 512;
  resources.cpus = "0";
  create(resources);
  const auto* memory = directory_of("memory");
  EXPECT_EQ(read_cgroup_number(*memory, memory->unified ? "memory.max" : "memory.limit_in_bytes"),
            64U << 20);
  EXPECT_EQ(read_cgroup_number(*directory_of("pids"), "pids.max"), 17U);
  const auto* cpu = directory_of("cpu");
  if (cpu->unified)
    EXPECT_EQ(read_cgroup_file(*cpu, "cpu.max"), "50000 100000\n");
  else
    EXPECT_EQ(read_cgroup_number(*cpu, "cpu.cfs_quota_us"), 50'000U);
  EXPECT_EQ(read_cgroup_file(*directory_of("cpuset"), "cpuset.cpus"), "0\n");
  // A v1 cpuset takes nobody before it has both.
  EXPECT_EQ(wait_for(spawn([] {})), 0);
}

TEST_F(CgroupTest, AppliesTheRestOfTheMemoryLimits) {
  oci::Resources resources;
  resources.memory_limit = 64 << 20;
  resources.memory_reservation = 32 << 20;
  resources.memory_use_hierarchy = true;
  resources.memory_check_before_update = true;
  create(resources);
  const auto* memory = directory_of("memory");
  EXPECT_EQ(
      read_cgroup_number(*memory, memory->unified ? "memory.low" : "memory.soft_limit_in_bytes"),
      32U << 20);
  resources = {};
  resources.memory_swappiness = 17;
  resources.memory_disable_oom_killer = true;
  const auto updated = cgroup_->update(resources);
  if (memory->unified) {
    EXPECT_THAT(updated, FailsWith(ENOTSUP, "linux.resources.memory.swappiness"));
    return;
  }
  EXPECT_THAT(updated, IsOk());
  EXPECT_EQ(read_cgroup_number(*memory, "memory.swappiness"), 17U);
  EXPECT_EQ(read_cgroup_number(*memory, "memory.oom_control", "oom_kill_disable"), 1U);
}

TEST_F(CgroupTest, RefusesALimitBelowWhatIsInUseIfTold) {
  create({});
  const pid_t user = spawn([] {
    constexpr size_t kSize = 8 << 20;
    void* memory =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, kSize);
    for (;;) ::pause();
  });
  while (cgroup_->stats().memory_bytes.value_or(0) < 6U << 20) ::usleep(1000);
  oci::Resources resources;
  resources.memory_limit = 2 << 20;
  resources.memory_check_before_update = true;
  EXPECT_THAT(cgroup_->update(resources), FailsWith(EBUSY, "checkBeforeUpdate"));
  ::kill(user, SIGKILL);
  EXPECT_EQ(wait_for(user), SIGKILL);
}

TEST_F(CgroupTest, AppliesTheRestOfTheCpuLimits) {
  oci::Resources resources;
  resources.cpu_quota = 50'000;
  resources.cpu_burst = 10'000;
  resources.mems = "0";
  create(resources);
  const auto* cpu = directory_of("cpu");
  EXPECT_EQ(read_cgroup_number(*cpu, cpu->unified ? "cpu.max.burst" : "cpu.cfs_burst_us"), 10'000U);
  EXPECT_EQ(read_cgroup_file(*directory_of("cpuset"), "cpuset.mems"), "0\n");
  resources = {};
  resources.cpu_idle = 1;
  ASSERT_THAT(cgroup_->update(resources), IsOk());
  EXPECT_EQ(read_cgroup_number(*cpu, "cpu.idle"), 1U);
  resources = {};
  resources.cpu_realtime_period = 500'000;
  resources.cpu_realtime_runtime = 1'000;
  const auto updated = cgroup_->update(resources);
  if (!cpu->unified && read_cgroup_file(*cpu, "cpu.rt_period_us"))
    EXPECT_EQ(read_cgroup_number(*cpu, "cpu.rt_period_us"), 500'000U);
  else
    EXPECT_THAT(updated, FailsWith(ENOTSUP, "linux.resources.cpu.realtimePeriod"));
}

TEST_F(CgroupTest, AppliesThrottlesOfBlockDevices) {
  oci::Resources resources;
  resources.block_io.read_bps = {{7, 0, 1 << 20}};  // the first loop device
  resources.block_io.write_iops = {{7, 0, 100}};
  auto made = Cgroup::create(path_, resources);
  if (!made) {  // no such device, or no such controller
    EXPECT_THAT(made.error().what,
                ::testing::AnyOf(::testing::HasSubstr("blkio"), ::testing::HasSubstr("io.max"),
                                 ::testing::HasSubstr("blockIO")));
    return;
  }
  cgroup_.emplace(*std::move(made));
  const auto* io = directory_of("blkio");
  EXPECT_EQ(
      read_cgroup_number(*io, io->unified ? "io.max" : "blkio.throttle.read_bps_device", "7:0"),
      io->unified ? std::nullopt : std::optional<uint64_t>(1 << 20));
}

// One at a time: each is either in force or named.
TEST_F(CgroupTest, IgnoresNoLimit) {
  const auto is_named = [&](const char* path, const oci::Resources& resources) {
    auto made = Cgroup::create(path_, resources);
    if (made)
      EXPECT_THAT(made->remove(), IsOk());
    else
      EXPECT_THAT(made.error().what, ::testing::HasSubstr(path));
    return !made;
  };
  const auto* tree = CgroupHierarchies::host().unified();
  const auto in_v2 = read_file_if_exists((tree ? tree->mount : "/nowhere") + "/cgroup.controllers");
  const bool has_hugetlb = CgroupHierarchies::host().v1("hugetlb") != nullptr ||
                           (in_v2 && *in_v2 && (*in_v2)->find("hugetlb") != std::string::npos);
  oci::Resources resources;
  resources.hugepage_limits = {{"2MB", 4 << 20}};
  EXPECT_EQ(is_named("hugepageLimits", resources), !has_hugetlb);
  resources = {};
  resources.hugepage_limits = {{"../x", 0}};
  EXPECT_TRUE(is_named("linux.resources.hugepageLimits: '../x' is not a page size", resources));
  resources = {};
  resources.network.class_id = 0x100001;
  EXPECT_EQ(is_named("network.classID", resources),
            CgroupHierarchies::host().v1("net_cls") == nullptr);
  resources = {};
  resources.network.priorities = {{"lo", 3}};
  EXPECT_EQ(is_named("network.priorities", resources),
            CgroupHierarchies::host().v1("net_prio") == nullptr);
  resources = {};
  resources.rdma = {{"no_such_device", {.hca_handles = 1}}};
  EXPECT_TRUE(is_named("rdma", resources));
  resources = {};
  resources.memory_kernel_tcp = -1;  // "unlimited" is what is
  EXPECT_FALSE(is_named("memory.kernelTCP", resources));
  resources = {};
  resources.unified = {{"../memory.max", "1"}};
  EXPECT_TRUE(is_named("linux.resources.unified.../memory.max", resources));
  resources.unified = {{"no.such.file", "1"}};
  EXPECT_TRUE(is_named("linux.resources.unified.no.such.file", resources));
  resources.unified = {{"cgroup.max.depth", "5"}};
  EXPECT_EQ(is_named("linux.resources.unified.cgroup.max.depth", resources),
            CgroupHierarchies::host().unified() == nullptr);
}

TEST_F(CgroupTest, MovesProcessesToAControllerThatALaterLimitNeeds) {
  create({});
  const pid_t sleeper = spawn_sleeper();
  oci::Resources resources;
  resources.cpu_quota = 20'000;
  ASSERT_THAT(cgroup_->update(resources), IsOk());
  const auto* cpu = directory_of("cpu");
  EXPECT_EQ(read_cgroup_file(*cpu, "cgroup.procs"), std::to_string(sleeper) + "\n");
  if (!cpu->unified) {
    EXPECT_EQ(read_cgroup_number(*cpu, "cpu.cfs_quota_us"), 20'000U);
  }
}

TEST_F(CgroupTest, RaisesAndLowersMemoryWithSwap) {
  oci::Resources resources;
  resources.memory_limit = 64 << 20;
  resources.memory_swap = 64 << 20;
  auto made = Cgroup::create(path_, resources);
  if (!made) GTEST_SKIP() << made.error().what;
  cgroup_.emplace(*std::move(made));
  for (const int64_t size : {128 << 20, 32 << 20}) {
    resources.memory_limit = resources.memory_swap = size;
    EXPECT_THAT(cgroup_->update(resources), IsOk()) << size;
  }
}

TEST_F(CgroupTest, NamesWhatItCannotDo) {
  oci::Resources resources;
  resources.memory_limit = 64 << 20;
  resources.memory_swap = 32 << 20;
  EXPECT_THAT(Cgroup::create(path_, resources), FailsWith(EINVAL, "swap"));
  resources = {};
  resources.cpus = "4096";
  EXPECT_FALSE(Cgroup::create(path_, resources));
  resources = {};
  resources.devices = {{.type = "?"}};
  EXPECT_THAT(Cgroup::create(path_, resources), FailsWith(EINVAL, "device rule"));
  EXPECT_THAT(Cgroup::create("relative", {}), FailsWith(EINVAL));
  EXPECT_THAT(Cgroup::create("/a/../b", {}), FailsWith(EINVAL));
  EXPECT_THAT(Cgroup::create("/", {}), FailsWith(EINVAL));
}

TEST_F(CgroupTest, KillsAllEvenBelow) {
  create({});
  const pid_t first = spawn_sleeper();
  const pid_t second = spawn([&] {
    for (const auto& directory : cgroup_->directories()) {
      const std::string below = directory.path + "/below";
      std::filesystem::create_directory(below);
      Cgroup::Directory child{.path = below};
      child.fd.reset(::open(below.c_str(), O_PATH | O_CLOEXEC));
      if (!write_cgroup_file(child, "cgroup.procs", "0")) ::_exit(98);
    }
    for (;;) ::pause();
  });
  while (cgroup_->processes().size() < 2) ::usleep(100);
  ASSERT_THAT(cgroup_->kill_all(), IsOk());
  EXPECT_EQ(wait_for(first), SIGKILL);
  EXPECT_EQ(wait_for(second), SIGKILL);
}

TEST_F(CgroupTest, FreezesThawsAndKillsTheFrozen) {
  create({});
  void* shared = ::mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* ticks = new (shared) std::atomic<int>(0);
  const auto advances = [&] {
    const int before = *ticks;
    ::usleep(30'000);
    return *ticks != before;
  };
  const pid_t ticker = spawn([&] {
    for (;;) {
      ++*ticks;
      ::usleep(1000);
    }
  });
  while (*ticks == 0) ::usleep(100);
  ASSERT_THAT(cgroup_->freeze(), IsOk());
  EXPECT_FALSE(advances());
  ASSERT_THAT(cgroup_->thaw(), IsOk());
  EXPECT_TRUE(advances());
  ASSERT_THAT(cgroup_->freeze(), IsOk());
  ASSERT_THAT(cgroup_->kill_all(), IsOk());
  EXPECT_EQ(wait_for(ticker), SIGKILL);
}

// As on a host without the v2 tree: the v1 freezer alone.
TEST_F(CgroupTest, KillsTheFrozenWithTheV1FreezerAlone) {
  const auto* freezer = CgroupHierarchies::host().v1("freezer");
  if (freezer == nullptr) GTEST_SKIP() << "no v1 freezer here";
  const std::string path = freezer->mount + path_;
  std::filesystem::create_directories(path);
  const auto held = Cgroup::existing(path_);
  ASSERT_EQ(held.directories().size(), 1U);
  const auto& directory = held.directories().front();
  const pid_t sleeper = ::fork();
  if (sleeper == 0)
    for (;;) ::pause();
  ASSERT_THAT(write_cgroup_file(directory, "cgroup.procs", std::to_string(sleeper)), IsOk());
  ASSERT_THAT(held.freeze(), IsOk());
  EXPECT_EQ(read_cgroup_file(directory, "freezer.state"), "FROZEN\n");
  ASSERT_THAT(held.kill_all(), IsOk());
  int status = 0;
  ::waitpid(sleeper, &status, 0);
  EXPECT_EQ(status, SIGKILL);
  EXPECT_THAT(held.remove(), IsOk());
}

TEST_F(CgroupTest, CountsAndSeesTheOutOfMemoryKiller) {
  oci::Resources resources;
  resources.memory_limit = 16 << 20;
  create(resources);
  EXPECT_FALSE(cgroup_->stats().oom_killed);
  const pid_t glutton = spawn([] {
    constexpr size_t kSize = 64 << 20;
    void* memory =
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    std::memset(memory, 1, kSize);
  });
  EXPECT_EQ(wait_for(glutton), SIGKILL);
  const auto stats = cgroup_->stats();
  EXPECT_TRUE(stats.oom_killed);
  EXPECT_GT(stats.memory_peak_bytes.value_or(0), 8U << 20);
  EXPECT_GT(stats.cpu_ns.value_or(0), 0U);
  EXPECT_EQ(stats.pids, 0U);
}

TEST_F(CgroupTest, WaitsForProcessesThatAreLeaving) {
  create({});
  const pid_t sleeper = spawn_sleeper();
  ::kill(sleeper, SIGKILL);
  EXPECT_THAT(cgroup_->remove(), IsOk());
}

TEST_F(CgroupTest, IsFoundAgain) {
  create({});
  const auto again = Cgroup::existing(path_);
  EXPECT_EQ(again.directories().size(), cgroup_->directories().size());
  EXPECT_TRUE(Cgroup::existing("/strata-test/none").directories().empty());
  EXPECT_THAT(Cgroup::existing("/strata-test/none").kill_all(), IsOk());
  EXPECT_THAT(Cgroup::existing("/strata-test/none").remove(), IsOk());
}

TEST(CgroupWeight, ConvertsSharesAsOthersDo) {
  EXPECT_EQ(weight_of_shares(2), 1U);
  EXPECT_EQ(weight_of_shares(1024), 39U);
  EXPECT_EQ(weight_of_shares(262'144), 10'000U);
  EXPECT_EQ(weight_of_shares(1), 1U);
}

}  // namespace
}  // namespace strata::linux
