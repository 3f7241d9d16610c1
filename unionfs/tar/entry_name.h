// Names as they stand in tars, and what may be done with them.
//
// Thread rule: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"

namespace strata::unionfs::tar {

// How a name in a tar becomes part of a layer (image-spec layer.md, "Whiteouts").
inline constexpr std::string_view kWhiteoutPrefix = ".wh.";
inline constexpr std::string_view kOpaqueMarker = ".wh..wh..opq";

enum class NameKind {
  kPlain,     // a file, directory, … called `path`
  kWhiteout,  // hides `path` of lower layers
  kOpaque,    // hides what lower layers have in the directory `path`
};

struct EntryName {
  NameKind kind = NameKind::kPlain;
  std::string path;  // relative, without empty, `.` or `..` components; "" is the layer itself
};

// "./usr//bin/" is "usr/bin". EINVAL for absolute names, `..`, bad whiteouts and components that
// look like whiteouts but aren't the last; ENAMETOOLONG beyond PATH_MAX. Errors don't repeat the
// name.
[[nodiscard]] Result<EntryName> parse_entry_name(std::string_view raw);

// 'name' in quotes for messages: what a hostile tar calls its entries must not reach a terminal.
// Bytes that aren't printable ASCII become \xHH, very long names are cut.
[[nodiscard]] std::string in_quotes(std::string_view name);

}  // namespace strata::unionfs::tar
