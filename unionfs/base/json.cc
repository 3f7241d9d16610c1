#include "unionfs/base/json.h"

#include <algorithm>

namespace strata {
namespace {

// "line 3, column 14". `offset` counts the bytes read up to and including the offending one.
std::string position(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset > 0 ? offset - 1 : 0);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " +
         std::to_string(before.size() - line_start + 1);
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view name) {
  constexpr int kMaxDepth = 100;
  bool too_deep = false;
  const auto guard = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  const std::string where = std::string(name) + ": ";
  try {
    Json json = Json::parse(text, guard);
    if (too_deep) return fail(EINVAL, where + "nested too deeply");
    return json;
  } catch (const Json::parse_error& e) {
    if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
      return fail(EINVAL, where + "not valid JSON: it is empty");
    const bool cut_off = e.byte > text.size();
    return fail(EINVAL, where + position(text, e.byte) + ": not valid JSON" +
                            (cut_off ? " (it ends too early)" : ""));
  } catch (const Json::exception&) {
    return fail(EINVAL, where + "a number is out of range");
  }
}

}  // namespace strata
