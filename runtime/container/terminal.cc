#include "runtime/container/terminal.h"

#include <fcntl.h>

#include "unionfs/base/unique_fd.h"

namespace strata::container {

std::optional<winsize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) < 0) return std::nullopt;
  return size;
}

void hang_up(int master) {
  // The other side, whatever mount namespace its name is in (ioctl_tty(2)).
  const UniqueFd peer(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (peer) ::ioctl(peer.get(), TIOCVHANGUP);
}

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  termios settings{};
  if (::tcgetattr(fd, &settings) < 0) return;
  saved_ = settings;
  ::cfmakeraw(&settings);
  ::tcsetattr(fd, TCSADRAIN, &settings);
}

RawTerminal::~RawTerminal() {
  if (saved_) ::tcsetattr(fd_, TCSADRAIN, &*saved_);
}

}  // namespace strata::container
