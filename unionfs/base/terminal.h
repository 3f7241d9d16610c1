// What a program says to a person: errors once, in one form; colours only on a terminal; progress
// for anything longer than a second.
//
// Thread rule: main thread only.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "unionfs/base/error.h"

namespace strata {

// Whether `fd` is a terminal that wants colours (isatty, NO_COLOR unset, TERM not "dumb").
[[nodiscard]] bool wants_colour(int fd);

enum class Colour { kNone, kRed, kGreen, kYellow, kBlue, kDim, kBold };

// `text` in a colour when `fd` wants colours, else as it is.
[[nodiscard]] std::string paint(int fd, Colour colour, std::string_view text);

// Prints "<program>: <what>" to standard error. Called in main() and nowhere else.
void print_error(std::string_view program, const Error& error);

// Prints "<program>: warning: <text>" to standard error.
void print_warning(std::string_view program, std::string_view text);

// One line on standard error that says what is going on, shown after the first second, redrawn at
// most ten times a second, wiped at the end. Silent when standard error is not a terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // "<what> <detail>", e.g. update("42 MiB").
  void update(std::string_view detail);

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  Clock::time_point next_;
  bool active_;
  bool shown_ = false;
};

// "180.2 MB": powers of 1000, as docker prints sizes.
[[nodiscard]] std::string human_size(unsigned long long bytes);

}  // namespace strata
