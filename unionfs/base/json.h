// JSON in and out with errors that name the document and the place. For .cc files only: public
// headers do not show the JSON library.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

// A whole number that T can hold; the library itself wraps others, or leaves them undefined.
template <class T>
requires std::is_integral_v<T> &&(!std::is_same_v<T, bool>)
    [[nodiscard]] std::optional<T> json_integer(const Json& json) {
  if (json.is_number_unsigned()) {
    const auto number = json.get<uint64_t>();
    return std::in_range<T>(number) ? std::optional(static_cast<T>(number)) : std::nullopt;
  }
  if (!json.is_number_integer()) return std::nullopt;
  const auto number = json.get<int64_t>();
  return std::in_range<T>(number) ? std::optional(static_cast<T>(number)) : std::nullopt;
}

// Member `key` of object `json` as T; absent or null gives `fallback`; a wrong type is EINVAL with
// the place, e.g. "manifest sha256:… : layers: expected array, found string".
template <class T>
[[nodiscard]] Result<T> json_get(const Json& json, const char* key, T fallback,
                                 std::string_view name) {
  const Json& member = json_member(json, key);
  if (member.is_null()) return fallback;
  const auto unexpected = [&](const std::string& what) {
    return fail(EINVAL, std::string(name) + ": " + key + ": unexpected " + what);
  };
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (const auto number = json_integer<T>(member)) return *number;
    return unexpected(member.is_number() ? member.dump() : member.type_name());
  } else {
    try {
      return member.get<T>();
    } catch (const Json::exception&) {
      return unexpected(member.type_name());
    }
  }
}

}  // namespace strata
