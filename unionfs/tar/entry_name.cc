#include "unionfs/tar/entry_name.h"

#include <climits>

#include "unionfs/files/tree_path.h"

namespace strata::unionfs::tar {
namespace {

// REQUIRES: name starts with kWhiteoutPrefix. `.wh..wh.*` other than the opaque marker were aufs's
// own files; they mean nothing in a layer.
Result<EntryName> parse_whiteout(std::string_view parent, std::string_view name) {
  if (name == kOpaqueMarker) return EntryName{NameKind::kOpaque, std::string(parent)};
  const std::string_view hidden = name.substr(kWhiteoutPrefix.size());
  if (hidden.empty() || hidden == "." || hidden == ".." || hidden.starts_with(kWhiteoutPrefix))
    return fail(EINVAL, "it is a whiteout of no possible name");
  return EntryName{NameKind::kWhiteout, join_path(parent, hidden)};
}

}  // namespace

Result<EntryName> parse_entry_name(std::string_view raw) {
  if (raw.empty()) return fail(EINVAL, "its name is empty");
  if (raw.front() == '/') return fail(EINVAL, "its name is absolute");
  if (raw.size() >= PATH_MAX) return fail(ENAMETOOLONG, "its name is longer than a path can be");
  std::string path;
  while (!raw.empty()) {
    const std::string_view component = take_component(raw);
    if (component.empty() || component == ".") continue;
    if (component == "..") return fail(EINVAL, "its name has a '..' in it");
    if (split_path(path).name.starts_with(kWhiteoutPrefix))
      return fail(EINVAL, "its name runs through a whiteout");
    path = join_path(path, component);
  }
  const auto [parent, name] = split_path(path);
  if (name.starts_with(kWhiteoutPrefix)) return parse_whiteout(parent, name);
  return EntryName{NameKind::kPlain, std::move(path)};
}

std::string in_quotes(std::string_view name) {
  constexpr size_t kLongest = 256;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "'";
  for (const char c : name.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\'' && c != '\\') {
      text += c;
    } else {
      text += "\\x";
      text += kDigits[byte >> 4];
      text += kDigits[byte & 0xf];
    }
  }
  if (name.size() > kLongest) text += "...";
  return text + "'";
}

}  // namespace strata::unionfs::tar
