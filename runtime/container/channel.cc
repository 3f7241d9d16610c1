#include "runtime/container/channel.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "unionfs/base/file.h"

namespace strata::container {
namespace {

// What stands in front of the text in a packet.
struct Header {
  uint32_t kind;
  int32_t status;
  int32_t code;
};

constexpr size_t kMaxText = 4096;
constexpr size_t kMaxDescriptors = 2;
constexpr int kBacklog = 64;

// The socket's address, relative to an open directory.
sockaddr_un address_in(int dir) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(dir) + "/" + kSocketName;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  return address;
}

Result<UniqueFd> make_socket() {
  UniqueFd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("create a unix socket");
  return fd;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

using ControlBuffer = std::array<char, CMSG_SPACE(kMaxDescriptors * sizeof(int))>;

void attach_descriptors(msghdr& header, ControlBuffer& control, const std::vector<int>& fds) {
  if (fds.empty()) return;
  header.msg_control = control.data();
  header.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
  cmsghdr* message = CMSG_FIRSTHDR(&header);
  message->cmsg_level = SOL_SOCKET;
  message->cmsg_type = SCM_RIGHTS;
  message->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  std::memcpy(CMSG_DATA(message), fds.data(), fds.size() * sizeof(int));
}

std::vector<UniqueFd> detach_descriptors(msghdr& header) {
  std::vector<UniqueFd> fds;
  for (cmsghdr* m = CMSG_FIRSTHDR(&header); m != nullptr; m = CMSG_NXTHDR(&header, m)) {
    if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(m) + i * sizeof(int), sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Result<ChannelPair> make_channel_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
    return fail_errno("create a socket pair");
  return ChannelPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<UniqueFd> listen_in(int container_dir) {
  STRATA_TRY(UniqueFd fd, make_socket());
  const sockaddr_un address = address_in(container_dir);
  const std::string what = "listen on " + std::string(kSocketName);
  // One of an earlier run may be there: the container's lock says that nobody listens on it.
  if (::bind(fd.get(), generic(address), sizeof address) < 0) {
    if (errno != EADDRINUSE) return fail_errno(what);
    ::unlinkat(container_dir, kSocketName, 0);
    if (::bind(fd.get(), generic(address), sizeof address) < 0) return fail_errno(what);
  }
  if (::listen(fd.get(), kBacklog) < 0) return fail_errno(what);
  return fd;
}

Result<std::optional<UniqueFd>> connect_to_monitor(const Files& files, Hello hello) {
  auto dir = open_file(files.dir(), O_PATH | O_DIRECTORY);
  if (!dir && dir.error().code == ENOENT) return std::optional<UniqueFd>();
  if (!dir) return std::unexpected(std::move(dir).error());
  STRATA_TRY(UniqueFd fd, make_socket());
  const sockaddr_un address = address_in(dir->get());
  if (::connect(fd.get(), generic(address), sizeof address) < 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return std::optional<UniqueFd>();
    return fail_errno("connect to the monitor of " + files.dir().string());
  }
  if (::send(fd.get(), &hello, sizeof hello, MSG_NOSIGNAL) < 0) return std::optional<UniqueFd>();
  return std::optional(std::move(fd));
}

bool send_message(int channel, Message::Kind kind, int status, int code, std::string_view text,
                  const std::vector<int>& fds) {
  Header head{static_cast<uint32_t>(kind), status, code};
  text = text.substr(0, kMaxText);
  std::array<iovec, 2> parts{{{&head, sizeof head}, {const_cast<char*>(text.data()), text.size()}}};
  alignas(cmsghdr) ControlBuffer control{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  attach_descriptors(header, control, fds);
  return ::sendmsg(channel, &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

bool send_output_hint(int channel) {
  int unread = 0;
  if (::ioctl(channel, SIOCOUTQ, &unread) == 0 && unread > 0) return true;
  return send_message(channel, Message::Kind::kOutput);
}

Result<std::optional<Message>> receive_message(int channel) {
  Header head{};
  Message message;
  message.text.resize(kMaxText);
  std::array<iovec, 2> parts{{{&head, sizeof head}, {message.text.data(), message.text.size()}}};
  alignas(cmsghdr) ControlBuffer control{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t n = 0;
  do {
    n = ::recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n == 0 || (n < 0 && errno == ECONNRESET)) return std::optional<Message>();
  if (n < 0) return fail_errno("receive from the container's monitor");
  message.descriptors = detach_descriptors(header);
  if (static_cast<size_t>(n) < sizeof head)
    return fail(EPROTO, "the container's monitor sent a packet that is too short");
  message.kind = static_cast<Message::Kind>(head.kind);
  message.status = head.status;
  message.code = head.code;
  message.text.resize(static_cast<size_t>(n) - sizeof head);
  return std::optional(std::move(message));
}

}  // namespace strata::container
