#include "runtime/bundle/console.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstring>
#include <string>

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
  std::string name = "/dev/ptmx";
  iovec data{name.data(), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof master)> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof master);
  std::memcpy(CMSG_DATA(header), &master, sizeof master);
  while (::sendmsg(socket.get(), &message, MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return fail_errno("console socket " + path.string());
  return {};
}

Result<void> write_pid_file(const std::filesystem::path& path, pid_t pid) {
  return write_file_atomic(path, std::to_string(pid), Durability::kAtomic);
}

}  // namespace strata::bundle
