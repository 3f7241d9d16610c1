// gzip (RFC 1952) through zlib, which checks each member's CRC and length.

#include <zlib.h>

#include <array>
#include <limits>

#include "runtime/image/codec_parts.h"

namespace strata::image {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, with gzip's header and trailer

Bytef* as_bytef(std::byte* data) {
  return reinterpret_cast<Bytef*>(data);
}

uInt as_uint(size_t size) {
  return static_cast<uInt>(std::min<size_t>(size, std::numeric_limits<uInt>::max()));
}

class GzipSource final : public ByteSource {
 public:
  GzipSource(OwnedSource in) : in_(std::move(in)), buffer_(kCodecBuffer) {
    ready_ = ::inflateInit2(&z_, kGzipWindow) == Z_OK;
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  ~GzipSource() override { ::inflateEnd(&z_); }

  [[nodiscard]] bool ready() const { return ready_; }

  Result<size_t> read(std::span<std::byte> buffer) override {
    z_.next_out = as_bytef(buffer.data());
    z_.avail_out = as_uint(buffer.size());
    const uInt wanted = z_.avail_out;
    while (z_.avail_out == wanted) {
      STRATA_TRY(const bool more, refill());
      if (!more) {
        if (in_member_) return fail(EBADMSG, "gzip data end too early");
        return size_t{0};
      }
      if (!in_member_ && is_padding()) continue;
      in_member_ = true;
      const int rc = ::inflate(&z_, Z_NO_FLUSH);
      if (rc == Z_STREAM_END) {
        // Further members may follow (RFC 1952, 2.2): parallel compressors write them.
        ::inflateReset(&z_);
        in_member_ = false;
        had_member_ = true;
      } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        return fail(EBADMSG, std::string("damaged gzip data") +
                                 (z_.msg != nullptr ? std::string(": ") + z_.msg : ""));
      }
    }
    return size_t{wanted - z_.avail_out};
  }

 private:
  Result<bool> refill() {
    if (z_.avail_in > 0) return true;
    STRATA_TRY(const size_t n, in_->read(buffer_));
    z_.next_in = as_bytef(buffer_.data());
    z_.avail_in = as_uint(n);
    return n > 0;
  }

  // Zeros after a member, as tapes and blocking writers leave them, are skipped as gzip(1) does.
  bool is_padding() {
    if (!had_member_ || *z_.next_in != 0) return false;
    ++z_.next_in;
    --z_.avail_in;
    return true;
  }

  OwnedSource in_;
  std::vector<std::byte> buffer_;
  z_stream z_{};
  bool ready_ = false;
  bool in_member_ = false;
  bool had_member_ = false;
};

class GzipEncoder final : public Encoder {
 public:
  explicit GzipEncoder(ByteSink& out) : out_(out), buffer_(kCodecBuffer) {
    constexpr int kLevel = 6;
    constexpr int kMemory = 8;
    // zlib writes neither a name nor a time into the header: the same input, the same output.
    ready_ =
        ::deflateInit2(&z_, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  GzipEncoder(const GzipEncoder&) = delete;
  GzipEncoder& operator=(const GzipEncoder&) = delete;
  ~GzipEncoder() override { ::deflateEnd(&z_); }

  [[nodiscard]] bool ready() const { return ready_; }

  Result<void> write(std::span<const std::byte> data) override {
    while (!data.empty()) {
      const auto part = data.first(as_uint(data.size()));
      z_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(part.data()));
      z_.avail_in = as_uint(part.size());
      while (z_.avail_in > 0) STRATA_CHECK(deflate_once(Z_NO_FLUSH));
      data = data.subspan(part.size());
    }
    return {};
  }

  Result<void> finish() override {
    while (!done_) STRATA_CHECK(deflate_once(Z_FINISH));
    return {};
  }

 private:
  Result<void> deflate_once(int flush) {
    z_.next_out = as_bytef(buffer_.data());
    z_.avail_out = as_uint(buffer_.size());
    const int rc = ::deflate(&z_, flush);
    if (rc == Z_STREAM_ERROR) return fail(EIO, "gzip compression failed");
    done_ = rc == Z_STREAM_END;
    return out_.write(std::span(buffer_).first(buffer_.size() - z_.avail_out));
  }

  ByteSink& out_;
  std::vector<std::byte> buffer_;
  z_stream z_{};
  bool ready_ = false;
  bool done_ = false;
};

}  // namespace

Result<OwnedSource> gzip_source(OwnedSource in) {
  auto source = std::make_unique<GzipSource>(std::move(in));
  if (!source->ready()) return fail(ENOMEM, "set up gzip decompression");
  return source;
}

Result<std::unique_ptr<Encoder>> gzip_encoder(ByteSink& out) {
  auto encoder = std::make_unique<GzipEncoder>(out);
  if (!encoder->ready()) return fail(ENOMEM, "set up gzip compression");
  return encoder;
}

}  // namespace strata::image
