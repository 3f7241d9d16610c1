// What a container's monitor tells those who are connected to it: one packet a message over a unix
// socket (SOCK_SEQPACKET), descriptors attached where they are the message.
//
// A client says hello() once; after that only the monitor talks. What a client does to the
// container it does directly, with the descriptors that it was handed: it writes to the program's
// standard input or terminal, sets the terminal's size, sends signals through the pidfd. So a
// client that hangs holds up nobody, and the monitor has nothing to read, parse or queue.
//
// Output is not sent, either: a client reads the log, and kOutput only says that it grew.
//
// Thread rule: one user of an end at a time.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/container/files.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

struct Message {
  enum class Kind : uint32_t {
    kStarted,  // the program runs; descriptors: its pidfd, then (if asked for) its input
    kFailed,   // it could not be started: status as for the shell, code an errno, text says why
    kOutput,   // the log grew
    kExited,   // the program ended and all is recorded; text: what went wrong in doing so, if any
  };
  Kind kind = Kind::kOutput;
  int status = 0;
  int code = 0;
  std::string text;
  std::vector<UniqueFd> descriptors;
};

// What a client wants of the monitor.
enum class Hello : char {
  kWatch = 'w',   // messages
  kAttach = 'a',  // the program's input, too
};

struct ChannelPair {
  UniqueFd monitor, client;
};
[[nodiscard]] Result<ChannelPair> make_channel_pair();

// The socket in the container's directory, for its monitor. Reached through the directory's
// descriptor, so that the length of the store's path does not matter (sun_path holds 108 bytes).
[[nodiscard]] Result<UniqueFd> listen_in(int container_dir);

// Connects and says hello. nullopt if nobody listens there.
[[nodiscard]] Result<std::optional<UniqueFd>> connect_to_monitor(const Files& files, Hello hello);

// Never waits. False if the client is gone or does not read: then it is to be dropped.
[[nodiscard]] bool send_message(int channel, Message::Kind kind, int status = 0, int code = 0,
                                std::string_view text = {}, const std::vector<int>& fds = {});

// Tells that the log grew, unless the client has not yet read an earlier message: then it will look
// at the log later than now anyway. False as above.
[[nodiscard]] bool send_output_hint(int channel);

// Waits for a message; nullopt if the monitor is gone.
[[nodiscard]] Result<std::optional<Message>> receive_message(int channel);

}  // namespace strata::container
