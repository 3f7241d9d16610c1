#include "unionfs/base/undo.h"

#include <string>

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(Undo, RunsInReverseUnlessReleased) {
  std::string order;
  {
    Undo undo;
    undo.add([&] { order += "a"; });
    undo.add([&] { order += "b"; });
  }
  EXPECT_EQ(order, "ba");
  {
    Undo undo;
    undo.add([&] { order += "c"; });
    undo.release();
  }
  EXPECT_EQ(order, "ba");
}

}  // namespace
}  // namespace strata
