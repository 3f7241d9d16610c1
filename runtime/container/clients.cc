#include "runtime/container/clients.h"

#include <sys/socket.h>

namespace strata::container {
namespace {

// More than this at a time is somebody's mistake; they are hung up on.
constexpr size_t kMaxClients = 256;

}  // namespace

void Clients::add_first(UniqueFd channel, bool attach) {
  clients_.push_back({std::move(channel), true, attach});
}

void Clients::started(Program program) {
  program_ = std::move(program);
  std::erase_if(clients_, [&](Client& client) { return client.greeted && !introduce(client); });
}

void Clients::failed(int status, int code, std::string_view text) {
  tell([&](int channel) {
    return send_message(channel, Message::Kind::kFailed, status, code, text);
  });
}

void Clients::exited(int status, std::string_view text) {
  tell([&](int channel) { return send_message(channel, Message::Kind::kExited, status, 0, text); });
}

void Clients::collect(std::vector<pollfd>& fds) const {
  fds.push_back({listener_.get(), POLLIN, 0});
  // From one that has said hello nothing is expected but that it hangs up (always reported).
  for (const auto& client : clients_)
    fds.push_back({client.channel.get(), static_cast<short>(client.greeted ? 0 : POLLIN), 0});
}

void Clients::handle(const pollfd* fds) {
  const bool knock = fds->revents != 0;
  ++fds;
  std::erase_if(clients_, [&](Client& client) {
    const short events = (fds++)->revents;
    if (!client.greeted && (events & POLLIN) != 0) return !read_hello(client);
    return (events & (POLLHUP | POLLERR)) != 0;
  });
  if (knock) accept_one();
}

void Clients::accept_one() {
  UniqueFd channel(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (channel && clients_.size() < kMaxClients) clients_.push_back({std::move(channel)});
}

bool Clients::read_hello(Client& client) {
  auto hello = Hello::kWatch;
  if (::recv(client.channel.get(), &hello, sizeof hello, MSG_DONTWAIT) != sizeof hello)
    return false;
  client.greeted = true;
  client.attach = hello == Hello::kAttach;
  return program_.pidfd < 0 || introduce(client);
}

bool Clients::introduce(Client& client) {
  std::vector<int> fds{program_.pidfd};
  const bool with_input = client.attach && program_.input.valid();
  if (with_input) fds.push_back(program_.input.get());
  const bool sent = send_message(client.channel.get(), Message::Kind::kStarted, 0, 0, {}, fds);
  // The pipe's end is that client's now: the program reads its end when the client closes it.
  if (sent && with_input && !program_.share_input) program_.input.reset();
  return sent;
}

}  // namespace strata::container
