// Zstandard (RFC 8878) through libzstd. Frames that we write carry a checksum.

#include <zstd.h>

#include <algorithm>
#include <thread>

#include "runtime/image/codec_parts.h"

namespace strata::image {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ::ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ::ZSTD_freeCCtx(context); }
};

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(OwnedSource in)
      : in_(std::move(in)), buffer_(kCodecBuffer), context_(::ZSTD_createDCtx()) {}

  [[nodiscard]] bool ready() const { return context_ != nullptr; }

  // The window, and so our memory, stays bounded: libzstd refuses more than 128 MiB by itself.
  Result<size_t> read(std::span<std::byte> buffer) override {
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (out.pos == 0) {
      // Output that did not fit last time is flushed without new input.
      if (input_.pos == input_.size && !flush_first_) {
        STRATA_TRY(const size_t n, in_->read(buffer_));
        input_ = {buffer_.data(), n, 0};
        if (n == 0) {
          if (in_frame_) return fail(EBADMSG, "zstd data end too early");
          return size_t{0};
        }
      }
      const size_t hint = ::ZSTD_decompressStream(context_.get(), &out, &input_);
      if (::ZSTD_isError(hint) != 0)
        return fail(EBADMSG, std::string("damaged zstd data: ") + ::ZSTD_getErrorName(hint));
      in_frame_ = hint != 0;
      flush_first_ = out.pos == out.size && in_frame_;
    }
    return out.pos;
  }

 private:
  OwnedSource in_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<ZSTD_DCtx, FreeContext> context_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool in_frame_ = false;
  bool flush_first_ = false;
};

class ZstdEncoder final : public Encoder {
 public:
  explicit ZstdEncoder(ByteSink& out)
      : out_(out), buffer_(kCodecBuffer), context_(::ZSTD_createCCtx()) {}

  Result<void> set_up() {
    if (!context_) return fail(ENOMEM, "set up zstd compression");
    constexpr int kLevel = 3;
    ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kLevel);
    ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
    // Workers compress while this thread unpacks. With at least one the output does not depend on
    // their number; a libzstd without threads refuses the parameter and works alone.
    const auto workers = std::clamp(std::thread::hardware_concurrency(), 1U, 4U);
    ::ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_nbWorkers, static_cast<int>(workers));
    return {};
  }

  Result<void> write(std::span<const std::byte> data) override {
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    while (in.pos < in.size) {
      STRATA_TRY([[maybe_unused]] const size_t left, step(in, ZSTD_e_continue));
    }
    return {};
  }

  Result<void> finish() override {
    ZSTD_inBuffer nothing{nullptr, 0, 0};
    for (;;) {
      STRATA_TRY(const size_t left, step(nothing, ZSTD_e_end));
      if (left == 0) return {};
    }
  }

 private:
  Result<size_t> step(ZSTD_inBuffer& in, ZSTD_EndDirective directive) {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
    const size_t left = ::ZSTD_compressStream2(context_.get(), &out, &in, directive);
    if (::ZSTD_isError(left) != 0)
      return fail(EIO, std::string("zstd compression failed: ") + ::ZSTD_getErrorName(left));
    STRATA_CHECK(out_.write(std::span(buffer_).first(out.pos)));
    return left;
  }

  ByteSink& out_;
  std::vector<std::byte> buffer_;
  std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
};

}  // namespace

Result<OwnedSource> zstd_source(OwnedSource in) {
  auto source = std::make_unique<ZstdSource>(std::move(in));
  if (!source->ready()) return fail(ENOMEM, "set up zstd decompression");
  return source;
}

Result<std::unique_ptr<Encoder>> zstd_encoder(ByteSink& out) {
  auto encoder = std::make_unique<ZstdEncoder>(out);
  STRATA_CHECK(encoder->set_up());
  return encoder;
}

}  // namespace strata::image
