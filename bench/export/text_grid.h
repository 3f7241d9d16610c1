// Columns of text that line up, for terminals: widths in code points ("µs" is two wide), colours
// outside of the widths, ASCII on request.
//
// Thread rule: one user at a time.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace strata::bench {

struct TextStyle {
  bool colour = false;
  bool unicode = true;
};

// "\033[…m" around `text` where colours are wanted. `sgr` is the number of the attribute: 1 bold,
// 2 dim, 31 red, 32 green, 33 yellow (ECMA-48, SGR).
[[nodiscard]] std::string styled(const TextStyle& style, int sgr, const std::string& text);

// Without unicode, what this project prints beyond ASCII is spelt in it ("us", "-", "x").
[[nodiscard]] std::string spelt(const TextStyle& style, std::string text);

// Control characters (a name may hold escape sequences) made visible as '?'.
[[nodiscard]] std::string printable(std::string text);

class TextGrid {
 public:
  struct Cell {
    std::string text;
    int sgr = 0;  // attribute, 0: none
  };
  // The heading of each column; those that start with '<' are aligned to the left.
  TextGrid(TextStyle style, std::vector<std::string> headings);

  // REQUIRES: as many cells as headings.
  void add(std::vector<Cell> row);

  // A column without any text but its heading is left out.
  [[nodiscard]] std::string print() const;

 private:
  [[nodiscard]] std::vector<size_t> widths() const;
  TextStyle style_;
  std::vector<bool> left_;
  std::vector<std::vector<Cell>> rows_;  // the first: headings
};

}  // namespace strata::bench
