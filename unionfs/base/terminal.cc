#include "unionfs/base/terminal.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace strata {
namespace {

constexpr std::string_view kReset = "\033[0m";
constexpr const char* kWipeLine = "\r\033[K";

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::kRed:
      return "\033[31m";
    case Colour::kGreen:
      return "\033[32m";
    case Colour::kYellow:
      return "\033[33m";
    case Colour::kBlue:
      return "\033[34m";
    case Colour::kDim:
      return "\033[2m";
    case Colour::kBold:
      return "\033[1m";
    case Colour::kNone:
      break;
  }
  return "";
}

void print_labelled(std::string_view program, Colour colour, std::string_view label,
                    std::string_view text) {
  const std::string line =
      std::string(program) + ": " + paint(STDERR_FILENO, colour, label) + std::string(text) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace

bool wants_colour(int fd) {
  if (::isatty(fd) == 0) return false;
  const char* no_colour = std::getenv("NO_COLOR");  // https://no-color.org
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb";
}

std::string paint(int fd, Colour colour, std::string_view text) {
  if (colour == Colour::kNone || !wants_colour(fd)) return std::string(text);
  return std::string(code_of(colour)) + std::string(text) + std::string(kReset);
}

void print_error(std::string_view program, const Error& error) {
  print_labelled(program, Colour::kRed, "error: ", error.what);
}

void print_warning(std::string_view program, std::string_view text) {
  print_labelled(program, Colour::kYellow, "warning: ", text);
}

Progress::Progress(std::string what)
    : what_(std::move(what)),
      next_(Clock::now() + std::chrono::seconds(1)),
      active_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_) std::fputs(kWipeLine, stderr);
}

void Progress::update(std::string_view detail) {
  if (!active_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + std::chrono::milliseconds(100);
  shown_ = true;
  const std::string line = std::string(kWipeLine) + what_ + " " + std::string(detail);
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

std::string human_size(unsigned long long bytes) {
  constexpr std::array kUnits{"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

}  // namespace strata
