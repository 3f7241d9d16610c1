// The user's own terminal while a container's terminal is shown on it.
//
// Thread rule: one owner.
#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include <optional>

namespace strata::container {

// The size of the terminal behind `fd`; nullopt if it is none.
[[nodiscard]] std::optional<winsize> terminal_size(int fd);

// Raw mode for as long as the object lives: every key goes to the container's terminal, which does
// the echoing and line editing. Nothing happens if `fd` is not a terminal.
class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

 private:
  int fd_;
  std::optional<termios> saved_;
};

}  // namespace strata::container
