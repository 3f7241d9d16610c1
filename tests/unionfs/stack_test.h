// What tests that mount stacks of layers have in common.
#pragma once

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/kernel_layers.h"
#include "tests/unionfs/tree.h"
#include "unionfs/base/file.h"
#include "unionfs/flat.h"
#include "unionfs/index/cache.h"
#include "unionfs/overlay.h"

namespace strata::unionfs {

using std::filesystem::path;
using testing::Attached;
using testing::differences;
using testing::FailsWith;
using testing::IsOk;
using testing::make_kernel_layers;
using testing::run;
using testing::scan_tree;
using testing::TempDir;

class StackTest : public ::testing::Test {
 protected:
  void SetUp() override {
    STRATA_NEEDS_ROOT();
    ASSERT_TRUE(testing::enter_private_namespaces());
  }

  // An upper layer and a work directory below `name`, empty.
  Upper make_upper(const std::string& name = "upper") {
    EXPECT_THAT(remove_tree(dir / name), IsOk());
    Upper upper{dir / name / "u", dir / name / "w"};
    EXPECT_THAT(make_dirs(upper.upper), IsOk());
    EXPECT_THAT(make_dirs(upper.work), IsOk());
    return upper;
  }

  // What overlayfs shows of the layers.
  testing::Tree overlay_tree(const LayerStack& stack) {
    const auto overlay = mount_overlay(stack, std::nullopt);
    EXPECT_THAT(overlay, IsOk());
    if (!overlay) return {};
    return scan_tree(Attached(overlay->get(), dir / "overlay").path());
  }

  TempDir dir;
};

// The same on machines that can mount flat images.
class FlatStackTest : public StackTest {
 protected:
  void SetUp() override {
    StackTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (const auto support = flat_support(dir.path()); !support)
      GTEST_SKIP() << support.error().what;
  }
};

}  // namespace strata::unionfs
