// The pieces that ingestion is put together from: each passes bytes on and watches one thing.
// Everything that a piece is given by reference must outlive it.
//
// Private to runtime/image. Thread rule: one user at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "runtime/image/sha256.h"
#include "unionfs/base/stream.h"

namespace strata::image {

// Counts and digests what a reader takes.
class DigestSource final : public ByteSource {
 public:
  explicit DigestSource(ByteSource& in) : in_(in) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;

  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::string digest() { return sha_.digest(); }  // once, at the end

 private:
  ByteSource& in_;
  Sha256 sha_;
  uint64_t bytes_ = 0;
};

// Counts and digests what a writer gives; ends with EINTR when a signal was noted.
class DigestSink final : public ByteSink {
 public:
  explicit DigestSink(ByteSink& out) : out_(out) {}
  [[nodiscard]] Result<void> write(std::span<const std::byte> data) override;

  [[nodiscard]] uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::string digest() { return sha_.digest(); }  // once, at the end

 private:
  ByteSink& out_;
  Sha256 sha_;
  uint64_t bytes_ = 0;
};

// Copies what a reader takes into a sink as well.
class TeeSource final : public ByteSource {
 public:
  TeeSource(ByteSource& in, ByteSink& copy) : in_(in), copy_(copy) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  ByteSource& in_;
  ByteSink& copy_;
};

// Throws everything away: for what is read only to be digested.
class NullSink final : public ByteSink {
 public:
  [[nodiscard]] Result<void> write(std::span<const std::byte>) override { return {}; }
};

// Counts input, tells a person now and then how far it got, and ends with EINTR when a signal was
// noted (interrupt.h).
class WatchedSource final : public ByteSource {
 public:
  using Report = std::function<void(std::string_view)>;
  // `what` as in "unpacking layer 3 of 7"; `report` may be empty.
  WatchedSource(ByteSource& in, std::string what, Report report)
      : in_(in), what_(std::move(what)), report_(std::move(report)) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;

  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  ByteSource& in_;
  std::string what_;
  Report report_;
  uint64_t bytes_ = 0;
};

// What a decompressed stream may grow to.
struct StreamLimits {
  uint64_t max_bytes;
  // From `ratio_from` bytes on, more than `max_ratio` times the compressed input is a bomb.
  uint64_t max_ratio;
  uint64_t ratio_from;
};

// Fails with EFBIG once the stream breaks its limits. `compressed` counts the input.
class LimitedSource final : public ByteSource {
 public:
  LimitedSource(ByteSource& in, const WatchedSource& compressed, StreamLimits limits)
      : in_(in), compressed_(compressed), limits_(limits) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;

  [[nodiscard]] uint64_t bytes() const { return bytes_; }

 private:
  ByteSource& in_;
  const WatchedSource& compressed_;
  StreamLimits limits_;
  uint64_t bytes_ = 0;
};

}  // namespace strata::image
