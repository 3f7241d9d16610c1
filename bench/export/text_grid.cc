#include "bench/export/text_grid.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace strata::bench {
namespace {

constexpr int kBold = 1;

size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;  // not a continuation byte
  }));
}

}  // namespace

std::string styled(const TextStyle& style, int sgr, const std::string& text) {
  if (!style.colour || sgr == 0 || text.empty()) return text;
  return "\033[" + std::to_string(sgr) + "m" + text + "\033[0m";
}

std::string spelt(const TextStyle& style, std::string text) {
  if (style.unicode) return text;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSpelling{
      {{"µ", "u"}, {" – ", "-"}, {"–", "-"}, {"×", "x"}, {"…", "..."}}};
  for (const auto& [from, to] : kSpelling)
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + 1))
      text.replace(at, from.size(), to);
  return text;
}

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20U || c == 0x7fU; }, '?');
  return text;
}

TextGrid::TextGrid(TextStyle style, std::vector<std::string> headings) : style_(style) {
  std::vector<Cell> row;
  for (auto& heading : headings) {
    left_.push_back(heading.starts_with('<'));
    row.push_back({left_.back() ? heading.substr(1) : std::move(heading), kBold});
  }
  add(std::move(row));
}

void TextGrid::add(std::vector<Cell> row) {
  for (auto& cell : row) cell.text = spelt(style_, printable(std::move(cell.text)));
  rows_.push_back(std::move(row));
}

std::vector<size_t> TextGrid::widths() const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (size_t r = 1; r < rows_.size(); ++r)
    for (size_t i = 0; i < widths.size(); ++i)
      widths[i] = std::max(widths[i], width_of(rows_[r][i].text));
  for (size_t i = 0; i < widths.size(); ++i)
    if (widths[i] > 0) widths[i] = std::max(widths[i], width_of(rows_.front()[i].text));
  return widths;
}

std::string TextGrid::print() const {
  const auto wide = widths();
  std::string text;
  for (const auto& row : rows_) {
    std::string line;
    std::string gap = "  ";
    for (size_t i = 0; i < row.size(); ++i) {
      if (wide[i] == 0) continue;
      const std::string padding(wide[i] - width_of(row[i].text), ' ');
      const std::string cell = styled(style_, row[i].sgr, row[i].text);
      // Trailing blanks are kept back until something follows them.
      if (row[i].text.empty()) {
        gap.append(padding).append("  ");
        continue;
      }
      line += gap;
      if (!left_[i]) line += padding;
      line += cell;
      gap = left_[i] ? padding : "";
      gap += "  ";
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace strata::bench
