#include "runtime/linux/capabilities.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::linux {
namespace {

using testing::FailsWith;

TEST(Capabilities, KnowsNames) {
  STRATA_ASSERT_OK(const auto chown, capability_of("CAP_CHOWN"));
  EXPECT_EQ(chown, 1U);
  STRATA_ASSERT_OK(const auto last, capability_of("CAP_CHECKPOINT_RESTORE"));
  EXPECT_EQ(last, CapabilityMask{1} << 40);
  EXPECT_THAT(capability_of("CHOWN"), FailsWith(EINVAL, "'CHOWN'"));
  EXPECT_THAT(capability_of("CAP_"), FailsWith(EINVAL));
  EXPECT_EQ(capability_names(0b101), "CAP_CHOWN, CAP_DAC_READ_SEARCH");
}

TEST(Capabilities, TurnsSetsIntoMasks) {
  STRATA_ASSERT_OK(const auto sets, capability_sets(oci::default_spec().process.capabilities));
  EXPECT_EQ(sets.bounding, 0xa80425fbU);  // what docker's containers show in /proc/self/status
  EXPECT_EQ(sets.effective, sets.bounding);
  EXPECT_EQ(sets.permitted, sets.bounding);
  EXPECT_EQ(sets.inheritable, 0U);
  EXPECT_EQ(sets.ambient, 0U);
}

TEST(Capabilities, SetsAllFive) {
  STRATA_NEEDS_ROOT();
  const pid_t child = ::fork();
  if (child == 0) {
    const CapabilitySets wanted{.bounding = 0b111,
                                .effective = 0b001,
                                .inheritable = 0b010,
                                .permitted = 0b011,
                                .ambient = 0b010};
    if (limit_bounding_set(wanted.bounding) < 0 || set_capabilities(wanted) < 0 ||
        set_ambient(wanted.ambient) < 0)
      ::_exit(1);
    const auto now = own_capabilities();
    ::_exit(now && now->effective == 0b001 && now->permitted == 0b011 && now->inheritable == 0b010
                ? 0
                : 2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace strata::linux
