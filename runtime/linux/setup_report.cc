#include "runtime/linux/setup_report.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace strata::linux {

Result<Channel> make_channel() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data()) < 0)
    return fail_errno("create a socket pair");
  return Channel{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

bool send_report(int channel, const SetupReport& report, int fd) noexcept {
  iovec data{const_cast<SetupReport*>(&report), sizeof report};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fd)> control{};
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
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
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
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
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    received.fd.reset(fd);
  }
  if (static_cast<size_t>(n) != sizeof received.report)
    return fail(EPROTO, "a message of the child was cut short");
  return std::optional(std::move(received));
}

}  // namespace strata::linux
