#include "unionfs/base/json.h"

#include <string>

#include <gmock/gmock.h>

#include "tests/support/matchers.h"

namespace strata {
namespace {

std::string fault(std::string_view text) {
  const auto json = parse_json(text, "doc");
  if (json) return "none";
  EXPECT_EQ(json.error().code, EINVAL);
  return json.error().what;
}

TEST(Json, SaysWhereATextIsNotJson) {
  EXPECT_EQ(fault("{\"a\": 1}"), "none");
  EXPECT_EQ(fault("x"), "doc: line 1, column 1: not valid JSON");
  EXPECT_EQ(fault("{\n  \"a\": 1,\n  \"b\": ?\n}"), "doc: line 3, column 8: not valid JSON");
  EXPECT_EQ(fault("{\n  \"a\": 1"), "doc: line 2, column 9: not valid JSON (it ends too early)");
  EXPECT_EQ(fault(" \n"), "doc: not valid JSON: it is empty");
  EXPECT_EQ(fault("[1e999]"), "doc: a number is out of range");
}

}  // namespace
}  // namespace strata
