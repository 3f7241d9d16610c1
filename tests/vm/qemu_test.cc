#include "runtime/vm/qemu.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/support/matchers.h"

namespace strata::vm {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// The value of an option; empty if it isn't there.
std::string value_of(const std::vector<std::string>& argv, const std::string& option) {
  const auto it = std::find(argv.begin(), argv.end(), option);
  return it != argv.end() && it + 1 != argv.end() ? *(it + 1) : "";
}

TEST(QemuCommandLine, MachinesDifferInTheirBus) {
  QemuPlan plan{.kernel = "/k/vmlinux", .disk = "/d/image.erofs"};
  const auto microvm = qemu_command_line(plan);
  EXPECT_THAT(value_of(microvm, "-machine"), HasSubstr("microvm"));
  EXPECT_THAT(microvm, Contains("virtio-blk-device,drive=image"));
  plan.hardware.machine = Machine::kQ35;
  const auto q35 = qemu_command_line(plan);
  EXPECT_THAT(value_of(q35, "-machine"), HasSubstr("q35"));
  EXPECT_THAT(q35, Contains("virtio-blk-pci-non-transitional,drive=image"));
}

TEST(QemuCommandLine, TakesHardwareAsAsked) {
  const auto argv = qemu_command_line(
      {.hardware = {.accelerator = Accelerator::kKvm, .memory_mib = 300, .cpus = 3},
       .kernel = "/k"});
  EXPECT_EQ(value_of(argv, "-accel"), "kvm");
  EXPECT_EQ(value_of(argv, "-cpu"), "host");
  EXPECT_EQ(value_of(argv, "-m"), "300M");
  EXPECT_EQ(value_of(argv, "-smp"), "3");
  EXPECT_EQ(value_of(argv, "-blockdev"), "");
}

TEST(QemuCommandLine, ACommaInAPathIsNoEnd) {
  const auto argv = qemu_command_line({.kernel = "/k", .disk = "/a,b/c"});
  EXPECT_THAT(value_of(argv, "-blockdev"), ::testing::EndsWith("file.filename=/a,,b/c"));
}

TEST(KernelCommandLine, SavesTimeOnlyUnderEmulation) {
  QemuPlan plan{.tsc_khz = 2'000'000};
  EXPECT_THAT(kernel_command_line(plan), HasSubstr("tsc_early_khz=2000000"));
  EXPECT_THAT(kernel_command_line(plan), HasSubstr("quiet"));
  plan.hardware.accelerator = Accelerator::kKvm;
  EXPECT_EQ(kernel_command_line(plan), "console=ttyS0 panic=-1 quiet");
  plan.verbose = true;
  EXPECT_THAT(kernel_command_line(plan), Not(HasSubstr("quiet")));
}

#if defined(__x86_64__)
TEST(Tsc, TwoMeasurementsAgree) {
  const auto first = measure_tsc_khz();
  const auto second = measure_tsc_khz();
  ASSERT_TRUE(first && second);
  EXPECT_NEAR(static_cast<double>(*first), static_cast<double>(*second),
              static_cast<double>(*first) / 100);
  EXPECT_GT(*first, 100'000U);
}
#endif

}  // namespace
}  // namespace strata::vm
