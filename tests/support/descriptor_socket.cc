#include "tests/support/descriptor_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include <gtest/gtest.h>

namespace strata::testing {

DescriptorSocket::DescriptorSocket(const std::filesystem::path& path)
    : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (!socket_) {
    ADD_FAILURE() << "no socket";
    return;
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(socket_.get(), 1), 0);
}

DescriptorSocket::Received DescriptorSocket::receive() {
  const UniqueFd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  Received received{.text = std::string(4096, '\0')};
  iovec data{received.text.data(), received.text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(peer.get(), &message, MSG_CMSG_CLOEXEC);
  EXPECT_GT(size, 0);
  received.text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return received;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  received.fd.reset(fd);
  return received;
}

}  // namespace strata::testing
