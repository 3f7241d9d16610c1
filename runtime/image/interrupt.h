// SIGINT, SIGTERM and SIGHUP during long work: the work ends with an error at its next read or
// write, so that everything half-done is undone on the way out, and the program then dies of the
// signal. A closed pipe (SIGPIPE) becomes an ordinary EPIPE, to the same end.
//
// Thread rule: an InterruptGuard belongs to the main thread, one at a time; the rest is callable
// from anywhere.
#pragma once

#include <array>
#include <csignal>
#include <string>

#include "unionfs/base/stream.h"

namespace strata::image {

// While it lives, the signals are noted instead of killing the process.
class InterruptGuard {
 public:
  InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
  // Restores the old handling and, if a signal came, delivers it to this process: shells and
  // callers see the death by signal that they expect.
  ~InterruptGuard();

 private:
  static constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP, SIGPIPE};
  std::array<struct sigaction, kSignals.size()> old_{};
};

// EINTR once a signal was noted.
[[nodiscard]] Result<void> check_interrupt();

// FdSource and FdSink for descriptors that may block (pipes, terminals): a noted signal ends the
// wait with EINTR. The caller keeps the descriptor open.
class InterruptibleSource final : public ByteSource {
 public:
  InterruptibleSource(int fd, std::string name) : fd_(fd), inner_(fd, std::move(name)) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  int fd_;
  FdSource inner_;
};

class InterruptibleSink final : public ByteSink {
 public:
  InterruptibleSink(int fd, std::string name) : fd_(fd), inner_(fd, std::move(name)) {}
  [[nodiscard]] Result<void> write(std::span<const std::byte> data) override;

 private:
  int fd_;
  FdSink inner_;
};

}  // namespace strata::image
