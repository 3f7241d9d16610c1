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

// Before it is parsed: a callback of the parser's would be asked about every value.
bool is_nested_too_deeply(std::string_view text) {
  constexpr int kMaxDepth = 100;
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::string_view name) {
  const std::string where = std::string(name) + ": ";
  if (is_nested_too_deeply(text)) return fail(EINVAL, where + "nested too deeply");
  try {
    return Json::parse(text);
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

const Json& json_member(const Json& json, const char* key) {
  static const Json kNull;
  const auto it = json.is_object() ? json.find(key) : json.end();
  return it == json.end() ? kNull : *it;
}

}  // namespace strata
