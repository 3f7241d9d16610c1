// Byte streams: what tar conversion reads from and writes to, whatever stands behind it (a file,
// a decompressor, a digest). Thread rule: one user at a time.
#pragma once

#include <cstddef>
#include <span>

#include "unionfs/base/result.h"

namespace strata {

class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  // Fills at most buffer.size() bytes; 0 only at the end. Short reads are normal.
  [[nodiscard]] virtual Result<size_t> read(std::span<std::byte> buffer) = 0;
};

class ByteSink {
 public:
  ByteSink() = default;
  ByteSink(const ByteSink&) = delete;
  ByteSink& operator=(const ByteSink&) = delete;
  virtual ~ByteSink() = default;
  // Takes all of `data` or fails.
  [[nodiscard]] virtual Result<void> write(std::span<const std::byte> data) = 0;
};

// Over a descriptor that the caller keeps open. `name` is for messages.
class FdSource final : public ByteSource {
 public:
  FdSource(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  int fd_;
  std::string name_;
};

class FdSink final : public ByteSink {
 public:
  FdSink(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  [[nodiscard]] Result<void> write(std::span<const std::byte> data) override;

 private:
  int fd_;
  std::string name_;
};

// Moves everything from source to sink; returns the number of bytes.
[[nodiscard]] Result<unsigned long long> copy_stream(ByteSource& source, ByteSink& sink);

}  // namespace strata
