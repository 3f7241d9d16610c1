#include "runtime/linux/loopback.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>

#include <net/if.h>

#include "unionfs/base/unique_fd.h"

namespace strata::linux {

int bring_loopback_up() noexcept {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return -1;
  ifreq request{};
  std::memcpy(request.ifr_name, "lo", sizeof "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request);
}

}  // namespace strata::linux
