#include "probes/text.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace strata::probes {
namespace {

// The length of the well-formed UTF-8 sequence of a printable character at the start of `text`;
// 0 if there is none (RFC 3629; U+0080 to U+009F are control characters).
size_t printable_sequence(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first >= 0x20 && first < 0x7f) return 1;
  const size_t length = first >= 0xf0 && first < 0xf5   ? 4
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xc2 && first < 0xe0 ? 2
                                                        : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const unsigned char second = at(1);
  const bool control = first == 0xc2 && second < 0xa0;
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool no_character = (first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90);
  // Marks that turn the writing direction could make a line read as another.
  const bool direction = text.substr(0, 3) >= "\u202a" && text.substr(0, 3) <= "\u202e";
  return control || overlong || no_character || direction ? 0 : length;
}

bool is_plain(std::string_view argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%^";
  return !argument.empty() && argument.find_first_not_of(kPlain) == std::string_view::npos;
}

std::string shell_word(std::string_view argument) {
  if (is_plain(argument)) return std::string(argument);
  std::string word = "'";
  for (const char c : argument) {
    if (c == '\'') {
      word += "'\\''";
    } else {
      word += c;
    }
  }
  return word + "'";
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t length = printable_sequence(text);
    if (length > 0) {
      out += text.substr(0, length);
    } else if (text[0] == '\n' || text[0] == '\t') {
      out += text[0] == '\n' ? "\\n" : "\\t";
    } else {
      std::array<char, 5> escape{};
      std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(text[0]));
      out += escape.data();
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

size_t columns_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string fit(std::string_view text, size_t width) {
  const size_t columns = columns_of(text);
  if (columns <= width) return std::string(text) + std::string(width - columns, ' ');
  if (width == 0) return {};
  size_t bytes = 0;
  for (size_t kept = 0; kept < width; ++bytes) {
    const bool begins = (static_cast<unsigned char>(text[bytes]) & 0xc0) != 0x80;
    if (begins && ++kept == width) break;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

std::string pad_left(std::string_view text, size_t width) {
  const size_t columns = columns_of(text);
  return std::string(width > columns ? width - columns : 0, ' ') + std::string(text);
}

std::string with_thousands(int64_t value) {
  std::string digits = std::to_string(value);
  const size_t sign = value < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > sign + 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string microseconds(int64_t ns) {
  return with_thousands(std::llround(static_cast<double>(ns) / 1000));
}

std::string duration(int64_t ns) {
  struct Unit {
    double ns;
    const char* name;
  };
  constexpr std::array<Unit, 3> kUnits{{{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}}};
  for (const auto& unit : kUnits) {
    const double value = static_cast<double>(ns) / unit.ns;
    if (std::abs(value) < 1) continue;
    const int decimals = std::abs(value) < 10 ? 2 : std::abs(value) < 100 ? 1 : 0;
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.*f %s", decimals, value, unit.name);
    return text.data();
  }
  return std::to_string(ns) + " ns";
}

std::string shell_line(const std::vector<std::string>& arguments) {
  std::string line;
  for (const auto& argument : arguments) {
    if (!line.empty()) line += ' ';
    line += shell_word(argument);
  }
  return printable(line);
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? name : std::to_string(number);
}

}  // namespace strata::probes
