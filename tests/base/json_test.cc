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

TEST(Json, TakesNoNumberThatDoesNotFit) {
  const auto read = [](const char* text) {
    return json_get<int32_t>(Json::parse(text), "n", 7, "doc");
  };
  EXPECT_EQ(read(R"({"n": -2147483648})"), INT32_MIN);
  EXPECT_EQ(read("{}"), 7);
  for (const char* text :
       {"2147483648", "-2147483649", "18446744073709551615", "1.5", "13077499499.9"})
    EXPECT_THAT(read((std::string(R"({"n": )") + text + "}").c_str()),
                testing::FailsWith(EINVAL, std::string("doc: n: unexpected ") + text));
  EXPECT_THAT(read(R"({"n": "1"})"), testing::FailsWith(EINVAL, "doc: n: unexpected string"));
  EXPECT_EQ(json_integer<uint64_t>(Json(UINT64_MAX)), UINT64_MAX);
  EXPECT_EQ(json_integer<int64_t>(Json(UINT64_MAX)), std::nullopt);
  EXPECT_EQ(json_integer<uint32_t>(Json(-1)), std::nullopt);
}

}  // namespace
}  // namespace strata
