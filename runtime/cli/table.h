// Tables for people: columns as wide as their widest cell, two spaces between them, no trailing
// spaces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata::cli {

// The first row holds the headings. Rows may be shorter than it.
[[nodiscard]] std::string format_table(const std::vector<std::vector<std::string>>& rows);

// `text` fit for a terminal: control characters, which could drive it, become '?'. For whatever
// comes out of an image or a container.
[[nodiscard]] std::string printable(std::string_view text);

// At most `width` characters, the last one '…' if something was cut off.
[[nodiscard]] std::string shorten(std::string_view text, size_t width);

}  // namespace strata::cli
