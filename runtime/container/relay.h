// The parts of a program that stands between the user and a command in a container: input, output,
// signals. Each says what it waits for and does what it can without waiting, so that a slow side
// holds up nothing else.
//
// Thread rule: one user.
#pragma once

#include <poll.h>
#include <signal.h>

#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

// Signals that are meant for the command, taken by a descriptor from the time of this object's
// making; the process's former mask comes back at its end. SIGPIPE is blocked for so long, too, so
// that writing to where nobody reads ends us only after the terminal was restored.
class SignalRelay {
 public:
  [[nodiscard]] static Result<SignalRelay> open();
  SignalRelay(SignalRelay&& other) noexcept;
  SignalRelay& operator=(SignalRelay&&) = delete;
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;
  ~SignalRelay();

  [[nodiscard]] pollfd wanted() const { return {fd_.get(), POLLIN, 0}; }

  // Passes signals on to the process. With a `terminal` (-1: there is none) a change of our own
  // one's size goes there, and SIGHUP, which says that ours is gone, is noted only.
  void handle(int pidfd, int terminal);

  // How often somebody has asked for the end so far (SIGINT, SIGTERM).
  [[nodiscard]] int interruptions() const { return interruptions_; }
  [[nodiscard]] bool hung_up() const { return hung_up_; }

 private:
  SignalRelay() = default;
  UniqueFd fd_;
  int interruptions_ = 0;
  bool hung_up_ = false;
  sigset_t previous_{};
};

// From our standard input to the command's. That the command does not want it (any more) is no
// error: then no more is read. REQUIRES: SIGPIPE is blocked.
class InputRelay {
 public:
  // `to` is non-blocking. An invalid one: nothing is read.
  InputRelay(int from, UniqueFd to) : from_(from), to_(std::move(to)) {}

  [[nodiscard]] pollfd wanted() const;
  void handle(short events);

  // Whether there is no more to be read. A terminal in raw mode ends when it is hung up only.
  [[nodiscard]] bool at_end() const { return at_end_; }

 private:
  int from_;
  bool at_end_ = false;
  UniqueFd to_;
  std::string pending_;
};

// To one of our output streams.
class OutputRelay {
 public:
  explicit OutputRelay(int to) : to_(to) {}

  void add(std::string_view text) { pending_ += text; }
  [[nodiscard]] bool idle() const { return pending_.empty(); }
  [[nodiscard]] pollfd wanted() const {
    return {idle() ? -1 : to_, static_cast<short>(POLLOUT), 0};
  }
  // EPIPE if nobody reads any more.
  [[nodiscard]] Result<void> handle(short events);

 private:
  int to_;
  std::string pending_;
};

// Whether writing failed since the terminal behind the stream is hung up.
[[nodiscard]] bool is_hang_up(const Result<void>& written);

}  // namespace strata::container
