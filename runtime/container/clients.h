// Those who are connected to a monitor: who they are, what they are told. Private to the monitor.
//
// Thread rule: one user.
#pragma once

#include <poll.h>

#include <string_view>
#include <vector>

#include "runtime/container/channel.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

class Clients {
 public:
  // What clients are handed. `input` may be invalid: there is none, or it was given away.
  struct Program {
    int pidfd = -1;
    UniqueFd input;
    bool share_input = false;  // a terminal, for everybody; a pipe is given away once
  };

  // The client that started the container; it has said hello by doing so.
  void add_first(UniqueFd channel, bool attach);
  void listen_on(UniqueFd listener) { listener_ = std::move(listener); }

  // The program runs: tells those who wait for it.
  void started(Program program);

  // Tells everybody.
  void output() {
    tell([](int channel) { return send_output_hint(channel); });
  }
  void failed(int status, int code, std::string_view text);
  void exited(int status, std::string_view text);

  // For poll(2): appends what is waited for; handle() takes the same entries back.
  void collect(std::vector<pollfd>& fds) const;
  void handle(const pollfd* fds);

 private:
  struct Client {
    UniqueFd channel;
    bool greeted = false;
    bool attach = false;
  };

  template <class Send>
  void tell(Send send) {
    std::erase_if(clients_, [&](Client& c) { return c.greeted && !send(c.channel.get()); });
  }
  void accept_one();
  bool read_hello(Client& client);
  bool introduce(Client& client);

  UniqueFd listener_;
  std::vector<Client> clients_;
  Program program_;
};

}  // namespace strata::container
