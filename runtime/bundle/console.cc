#include "runtime/bundle/console.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "runtime/linux/send_descriptor.h"
#include "unionfs/base/file.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {
namespace {

// Engines' paths may be longer than an address takes: then by way of a descriptor.
Result<UniqueFd> connect_to(const std::filesystem::path& path) {
  const std::string what = "console socket " + path.string();
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno(what);
  STRATA_TRY(const UniqueFd target, open_file(path, O_PATH));
  const std::string name = "/proc/self/fd/" + std::to_string(target.get());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return fail_errno(what);
  return socket;
}

}  // namespace

Result<void> send_console(const std::filesystem::path& path, int master) {
  STRATA_TRY(const UniqueFd socket, connect_to(path));
  while (linux::send_descriptor(socket.get(), "/dev/ptmx", master) < 0)
    if (errno != EINTR) return fail_errno("console socket " + path.string());
  return {};
}

Result<void> write_pid_file(const std::filesystem::path& path, pid_t pid) {
  return write_file_atomic(path, std::to_string(pid), Durability::kAtomic);
}

}  // namespace strata::bundle
