// Matchers for Result<T>:  EXPECT_THAT(open_layer(p), IsOk());  EXPECT_THAT(r, FailsWith(ENOENT));
// and STRATA_ASSERT_OK(auto layer, open_layer(p)) to unwrap.
#pragma once

#include <ostream>
#include <string>
#include <utility>

#include <gmock/gmock.h>

#include "unionfs/base/result.h"

namespace strata {

inline void PrintTo(const Error& error, std::ostream* os) {
  *os << errno_name(error.code) << " (" << error.what << ")";
}

namespace testing {

MATCHER(IsOk, "is a value") {
  if (arg.has_value()) return true;
  *result_listener << "is " << errno_name(arg.error().code) << ": " << arg.error().what;
  return false;
}

MATCHER_P(FailsWith, code, "fails with " + errno_name(code)) {
  if (arg.has_value()) {
    *result_listener << "is a value";
    return false;
  }
  *result_listener << "is " << errno_name(arg.error().code) << ": " << arg.error().what;
  return arg.error().code == code;
}

MATCHER_P2(FailsWith, code, text,
           "fails with " + errno_name(code) + " and says '" + std::string(text) + "'") {
  if (arg.has_value()) {
    *result_listener << "is a value";
    return false;
  }
  *result_listener << "is " << errno_name(arg.error().code) << ": " << arg.error().what;
  return arg.error().code == code && arg.error().what.find(text) != std::string::npos;
}

}  // namespace testing
}  // namespace strata

#define STRATA_ASSERT_OK(declaration, ...)                                         \
  auto STRATA_CONCAT(strata_result_, __LINE__) = (__VA_ARGS__);                    \
  ASSERT_THAT(STRATA_CONCAT(strata_result_, __LINE__), ::strata::testing::IsOk()); \
  declaration = *std::move(STRATA_CONCAT(strata_result_, __LINE__))
