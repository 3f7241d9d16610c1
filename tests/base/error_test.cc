#include "unionfs/base/error.h"

#include <gtest/gtest.h>

#include "tests/support/matchers.h"
#include "unionfs/base/json.h"

namespace strata {
namespace {

using testing::FailsWith;
using testing::IsOk;

Result<int> inner() {
  return fail_errno("open /nowhere", ENOENT);
}

Result<int> outer() {
  STRATA_TRY(const int value, inner());
  return value + 1;
}

TEST(Error, CarriesErrnoAndSentence) {
  const Error error = wrap("create web1", posix_error("mount overlay", ENODEV));
  EXPECT_EQ(error.code, ENODEV);
  EXPECT_EQ(error.what, "create web1: mount overlay: No such device");
}

TEST(Error, NamesErrnos) {
  EXPECT_EQ(errno_name(ENOENT), "ENOENT");
  EXPECT_EQ(errno_name(4242), "E4242");
}

TEST(Result, TryPassesErrorsOn) {
  EXPECT_THAT(outer(), FailsWith(ENOENT, "open /nowhere"));
}

TEST(Json, RefusesBottomlessNesting) {
  EXPECT_THAT(parse_json(std::string(100'000, '['), "manifest"), FailsWith(EINVAL, "manifest"));
  EXPECT_THAT(parse_json("{\"a\": [1, 2]}", "manifest"), IsOk());
}

TEST(Json, NamesTheFieldOfAWrongType) {
  const Json json = {{"size", "large"}};
  EXPECT_THAT(json_get<int>(json, "size", 0, "manifest"),
              FailsWith(EINVAL, "manifest: size: unexpected string"));
}

}  // namespace
}  // namespace strata
