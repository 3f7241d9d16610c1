// Text for a terminal in fixed columns. What a watched process calls itself is a stranger's text:
// it never reaches the terminal unescaped.
//
// Private to probes/. Thread rule: plain functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace strata::probes {

// Control characters and bytes that are no valid UTF-8 as \n, \t or \xNN; the rest as it is.
[[nodiscard]] std::string printable(std::string_view text);

// Columns that a printable() text takes: one a character.
[[nodiscard]] size_t columns_of(std::string_view text);

// Exactly `width` columns: padded on the right, or cut off with an ellipsis.
[[nodiscard]] std::string fit(std::string_view text, size_t width);

// At least `width` columns: padded on the left.
[[nodiscard]] std::string pad_left(std::string_view text, size_t width);

// "1,234,567"
[[nodiscard]] std::string with_thousands(int64_t value);

// Nanoseconds as whole microseconds: "1,234".
[[nodiscard]] std::string microseconds(int64_t ns);

// With a unit that suits it: "870 ns", "12.3 µs", "4.56 ms", "7.89 s".
[[nodiscard]] std::string duration(int64_t ns);

// Arguments as a person would type them into a shell, printable.
[[nodiscard]] std::string shell_line(const std::vector<std::string>& arguments);

// "9" as "KILL"; the number itself where the signal has no name.
[[nodiscard]] std::string signal_name(int number);

}  // namespace strata::probes
