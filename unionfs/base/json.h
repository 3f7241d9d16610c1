// JSON in and out with errors that name the document and the place. For .cc files only: public
// headers do not show the JSON library.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "unionfs/base/result.h"

namespace strata {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// Parses `text`; `name` says in the error whose text it was, and line and column where it is not
// JSON: "run.json: line 3, column 14: not valid JSON". Nesting beyond 100 levels is refused
// (the documents we read come from strangers).
[[nodiscard]] Result<Json> parse_json(std::string_view text, std::string_view name);

// Member `key` of object `json` in place; a null if it is absent, or `json` no object.
[[nodiscard]] const Json& json_member(const Json& json, const char* key);

// Member `key` of object `json` as T; absent or null gives `fallback`; a wrong type is EINVAL with
// the place, e.g. "manifest sha256:… : layers: expected array, found string".
template <class T>
[[nodiscard]] Result<T> json_get(const Json& json, const char* key, T fallback,
                                 std::string_view name) {
  const Json& member = json_member(json, key);
  if (member.is_null()) return fallback;
  try {
    return member.get<T>();
  } catch (const Json::exception&) {
    return fail(EINVAL, std::string(name) + ": " + key + ": unexpected " + member.type_name());
  }
}

}  // namespace strata
