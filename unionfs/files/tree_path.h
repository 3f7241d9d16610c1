// Paths below the root of a tree: components parted by slashes, none at the front; "" is the root.
//
// Thread rule: pure functions.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace strata::unionfs {

// The directory part ("" for the root) and the last component. Views into `path`: the name ends
// where the path does, so that it has a NUL behind it if that has.
struct SplitPath {
  std::string_view parent;
  std::string_view name;
};
[[nodiscard]] constexpr SplitPath split_path(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// "<parent>/<name>", or "<name>" in the root. A slash that stands at the end of `parent` will do.
[[nodiscard]] inline std::string join_path(std::string_view parent, std::string_view name) {
  std::string joined(parent);
  if (!joined.empty() && joined.back() != '/') joined += '/';
  return joined += name;
}

// Takes the first component off `path`, with the slashes in front of it. What is left begins with a
// slash, or is empty. "" if there is no component.
[[nodiscard]] constexpr std::string_view take_component(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const std::string_view component = path.substr(0, path.find('/'));
  path.remove_prefix(component.size());
  return component;
}

}  // namespace strata::unionfs
