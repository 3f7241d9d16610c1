#include "runtime/linux/seccomp_listener.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "runtime/linux/send_descriptor.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {
namespace {

Result<UniqueFd> connect_to(const std::string& path, const std::string& what) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(ENAMETOOLONG, what + ": too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return fail_errno(what);
  return socket;
}

}  // namespace

Result<void> send_seccomp_listener(const std::string& path, std::string_view state, int listener) {
  const std::string what = "linux.seccomp.listenerPath: " + path;
  STRATA_TRY(const UniqueFd socket, connect_to(path, what));
  const ssize_t sent = send_descriptor(socket.get(), state, listener);
  if (sent < 0) return fail_errno(what);
  if (static_cast<size_t>(sent) != state.size())
    return fail(EMSGSIZE, what + ": the state was not taken whole");
  return {};
}

}  // namespace strata::linux
