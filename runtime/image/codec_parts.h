// The codecs behind codec.h, one file each. Private to runtime/image.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/codec.h"

namespace strata::image {

inline constexpr size_t kCodecBuffer = size_t{256} << 10;

// A source with the bytes that were read ahead put back in front. `rest` must outlive it.
class PrefixedSource final : public ByteSource {
 public:
  PrefixedSource(std::vector<std::byte> prefix, ByteSource& rest)
      : prefix_(std::move(prefix)), rest_(rest) {}
  [[nodiscard]] Result<size_t> read(std::span<std::byte> buffer) override;

 private:
  std::vector<std::byte> prefix_;
  size_t used_ = 0;
  ByteSource& rest_;
};

using OwnedSource = std::unique_ptr<ByteSource>;

[[nodiscard]] Result<OwnedSource> gzip_source(OwnedSource in);
[[nodiscard]] Result<OwnedSource> zstd_source(OwnedSource in);
[[nodiscard]] Result<OwnedSource> archive_source(OwnedSource in);

[[nodiscard]] Result<std::unique_ptr<Encoder>> gzip_encoder(ByteSink& out);
[[nodiscard]] Result<std::unique_ptr<Encoder>> zstd_encoder(ByteSink& out);

}  // namespace strata::image
