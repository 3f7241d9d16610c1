#include "runtime/linux/setup_report.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace strata::linux {
namespace {
constexpr size_t kMostFds = 2;
}  // namespace

Result<Channel> make_channel() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) < 0)
    return fail_errno("create a socket pair");
  return Channel{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

bool send_report(int channel, SetupReport& report, int console, int listener) noexcept {
  std::array<int, kMostFds> fds{};
  size_t count = 0;
  report.has_console = console >= 0 ? 1 : 0;
  report.has_listener = listener >= 0 ? 1 : 0;
  for (const int fd : {console, listener})
    if (fd >= 0) fds[count++] = fd;
  iovec data{&report, sizeof report};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> control{};
  if (count != 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), count * sizeof(int));
  }
  for (;;) {
    if (::sendmsg(channel, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

Result<std::optional<Received>> receive_report(int channel) {
  Received received;
  iovec data{&received.report, sizeof received.report};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostFds * sizeof(int))> control{};
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t n = 0;
  do {
    n = ::recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
  } while (n < 0 && errno == EINTR);
  if (n == 0 || (n < 0 && errno == ECONNRESET)) return std::optional<Received>();
  if (n < 0) return fail_errno("hear from the child");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_type != SCM_RIGHTS) continue;
    std::array<int, kMostFds> fds{};
    const size_t size = std::min(header->cmsg_len - CMSG_LEN(0), sizeof fds);
    std::memcpy(fds.data(), CMSG_DATA(header), size);
    const size_t count = size / sizeof(int);
    size_t next = 0;
    if (received.report.has_console != 0 && next < count) received.console.reset(fds[next++]);
    if (received.report.has_listener != 0 && next < count) received.listener.reset(fds[next++]);
    while (next < count) ::close(fds[next++]);
  }
  received.report.complaint.back() = '\0';
  if (static_cast<size_t>(n) != sizeof received.report)
    return fail(EPROTO, "a message of the child was cut short");
  return std::optional(std::move(received));
}

}  // namespace strata::linux
