#include "bench/context.h"

#include <zlib.h>

#include <gmock/gmock.h>

#include "tests/support/temp_dir.h"

namespace strata::bench {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(Context, KnowsThisMachine) {
  const Context context = collect_context("/nowhere/store");
  EXPECT_NE(context.strata_version, "");
  EXPECT_NE(context.operating_system, "");
  EXPECT_NE(context.kernel.release, "");
  EXPECT_NE(context.kernel.version, "");
  EXPECT_NE(context.kernel.architecture, "");
  EXPECT_NE(context.kernel.config_source, "");
  EXPECT_THAT(context.kernel.config, Contains(Pair("CONFIG_CGROUPS", "y")));
  EXPECT_GT(context.cpu.logical_count, 0);
  EXPECT_GT(context.memory.total_bytes, 64U << 20U);
  EXPECT_GE(context.memory.page_bytes, 4096U);
  EXPECT_EQ(context.store.path, "/nowhere/store");
  EXPECT_NE(context.store.file_system, "");
  EXPECT_NE(context.virtualisation, "");
}

class FakeMachine : public ::testing::Test {
 protected:
  Context collect(const std::string& store = "/srv/my store/x") {
    return collect_context(store, dir_.path());
  }
  strata::testing::TempDir dir_;
};

TEST_F(FakeMachine, WithNothingToReadStaysEmpty) {
  const Context context = collect();
  EXPECT_EQ(context.kernel.release, "");
  EXPECT_EQ(context.kernel.config_source, "probed");
  EXPECT_TRUE(context.kernel.config.empty());
  EXPECT_EQ(context.cgroup_mode, "none");
  EXPECT_EQ(context.virtualisation, "none");
  EXPECT_EQ(context.store.file_system, "");
}

TEST_F(FakeMachine, TheStoresFileSystemIsTheNearestMount) {
  dir_.write("proc/self/mounts",
             "/dev/root / ext4 rw 0 0\n"
             "tmpfs /srv tmpfs rw 0 0\n"
             "/dev/sdb /srv/my\\040store btrfs ro,noatime 0 0\n"
             "/dev/sdc /srv/my\\040store/xy xfs rw 0 0\n"
             "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n");
  const Context context = collect();
  EXPECT_EQ(context.store.file_system, "btrfs");
  EXPECT_EQ(context.store.options, "ro,noatime");
  EXPECT_EQ(context.cgroup_mode, "v2");
  EXPECT_EQ(collect("/srv/other").store.file_system, "tmpfs");
  EXPECT_EQ(collect("/home").store.file_system, "ext4");
}

TEST_F(FakeMachine, NamesTheModeOfControlGroups) {
  dir_.write("proc/self/mounts", "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n");
  EXPECT_EQ(collect().cgroup_mode, "v1");
  dir_.write("proc/self/mounts",
             "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n"
             "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n");
  EXPECT_EQ(collect().cgroup_mode, "hybrid");
}

TEST_F(FakeMachine, ReadsProcessorAndMemory) {
  dir_.write("proc/cpuinfo",
             "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Xeon(R) @ 2.00GHz\n"
             "flags\t\t: fpu vmx sse2 hypervisor\n\nprocessor\t: 1\nmodel name\t: other\n");
  dir_.write("proc/meminfo", "MemTotal:       2048 kB\nMemAvailable:   1024 kB\nSwapTotal: 0 kB\n");
  dir_.write("proc/loadavg", "1.25 0.50 0.10 1/100 1234\n");
  dir_.write("etc/os-release", "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
  dir_.write("sys/devices/system/cpu/vulnerabilities/meltdown", "Mitigation: PTI\n");
  dir_.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
  dir_.write("sys/kernel/security/lsm", "capability,apparmor,bpf");
  const Context context = collect();
  EXPECT_EQ(context.cpu.vendor, "GenuineIntel");
  EXPECT_EQ(context.cpu.model, "Intel(R) Xeon(R) @ 2.00GHz");
  EXPECT_THAT(context.cpu.flags, ElementsAre("vmx", "hypervisor"));
  EXPECT_THAT(context.cpu.mitigations, ElementsAre(Pair("meltdown", "Mitigation: PTI")));
  EXPECT_EQ(context.cpu.governor, "performance");
  EXPECT_EQ(context.memory.total_bytes, 2048U * 1024);
  EXPECT_EQ(context.memory.available_bytes, 1024U * 1024);
  EXPECT_EQ(context.load_average_1m, 1.25);
  EXPECT_EQ(context.operating_system, "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(context.virtualisation, "vm");
  EXPECT_THAT(context.kernel.security_modules, ElementsAre("capability", "apparmor", "bpf"));
}

TEST_F(FakeMachine, ReadsTheKernelsConfiguration) {
  dir_.write("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
  dir_.write("boot/config-6.1.0-18-amd64",
             "# Linux\nCONFIG_OVERLAY_FS=m\nCONFIG_HZ=250\n# CONFIG_KPROBES is not set\n"
             "CONFIG_OTHER=y\n");
  Context context = collect();
  EXPECT_EQ(context.kernel.config_source, "/boot/config-6.1.0-18-amd64");
  EXPECT_THAT(context.kernel.config, Contains(Pair("CONFIG_OVERLAY_FS", "m")));
  EXPECT_THAT(context.kernel.config, Contains(Pair("CONFIG_HZ", "250")));
  EXPECT_THAT(context.kernel.config, Contains(Pair("CONFIG_KPROBES", "n")));
  EXPECT_FALSE(context.kernel.config.contains("CONFIG_OTHER"));

  const auto config = dir_.write("proc/config.gz", "");
  const gzFile file = gzopen(config.c_str(), "wb");
  ASSERT_NE(file, nullptr);
  gzputs(file, "CONFIG_HZ=1000\n");
  gzclose(file);
  context = collect();
  EXPECT_EQ(context.kernel.config_source, "/proc/config.gz");
  EXPECT_THAT(context.kernel.config, Contains(Pair("CONFIG_HZ", "1000")));
}

TEST_F(FakeMachine, WithoutAConfigurationLooksAtWhatIsThere) {
  dir_.write("proc/filesystems", "nodev\tproc\nnodev\toverlay\n\text4\n");
  dir_.write("sys/kernel/btf/vmlinux", "");
  const Context context = collect();
  EXPECT_EQ(context.kernel.config_source, "probed");
  EXPECT_THAT(context.kernel.config,
              ElementsAre(Pair("CONFIG_DEBUG_INFO_BTF", "y"), Pair("CONFIG_OVERLAY_FS", "y")));
}

}  // namespace
}  // namespace strata::bench
