#include "unionfs/base/json.h"

namespace strata {

Result<Json> parse_json(std::string_view text, std::string_view name) {
  constexpr int kMaxDepth = 100;
  bool too_deep = false;
  const auto guard = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, guard);
    if (too_deep) return fail(EINVAL, std::string(name) + ": nested too deeply");
    return json;
  } catch (const Json::exception& e) {
    return fail(EINVAL, std::string(name) + ": " + e.what());
  }
}

}  // namespace strata
