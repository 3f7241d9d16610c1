// Process 1 of the guest: from the bare kernel to the command, and off.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <net/if.h>

#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {

std::string_view read_whole_file(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat st {};
  if (fd < 0 || ::fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
    if (fd >= 0) ::close(fd);
    return {};
  }
  const auto limit = static_cast<size_t>(st.st_size);
  auto* text = static_cast<char*>(allocate(limit + 1));
  size_t used = 0;
  while (used < limit) {
    const ssize_t n = ::read(fd, text + used, limit - used);
    if (n <= 0) break;
    used += static_cast<size_t>(n);
  }
  ::close(fd);
  text[used] = '\0';
  return {text, used};
}

namespace {

// Containers have a loopback interface that is up; so has the guest.
void bring_loopback_up() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  (void)::ioctl(fd, SIOCSIFFLAGS, &request);
  ::close(fd);
}

void run() {
  mount_devices();
  load_modules("/modules/channel");
  open_channel();
  send_frame(FrameType::kReady, {});
  const Config config = receive_config();
  if (config.arguments[0] == nullptr) {
    const uint32_t nothing = 0;
    send_frame(FrameType::kExit, {reinterpret_cast<const char*>(&nothing), sizeof nothing});
    return;
  }
  load_modules("/modules/root");
  mount_root();
  bring_loopback_up();
  if (!config.hostname.empty()) (void)::sethostname(config.hostname.data(), config.hostname.size());
  run_command(config);
}

}  // namespace
}  // namespace strata::vm::guest

int main() {
  strata::vm::guest::run();
  strata::vm::guest::power_off();
}
