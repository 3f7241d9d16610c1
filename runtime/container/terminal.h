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

// Hangs the terminal up whose master this is, as the end of its last master would: its session's
// leader gets SIGHUP, and whoever has it open reads its end. For a master that others hold open,
// too.
void hang_up(int master);

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
