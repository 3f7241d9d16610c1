#include "runtime/image/codec.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "runtime/image/codec_parts.h"
#include "runtime/image/media_type.h"

namespace strata::image {
namespace {

struct Magic {
  std::string_view bytes;
  Result<OwnedSource> (*open)(OwnedSource in);
  Accept needs;
};

using namespace std::string_view_literals;

constexpr std::array kMagics{
    Magic{"\x1f\x8b"sv, gzip_source, Accept::kLayer},
    Magic{"\x28\xb5\x2f\xfd"sv, zstd_source, Accept::kLayer},
    Magic{"\xfd\x37\x7a\x58\x5a\x00"sv, archive_source, Accept::kAny},  // xz
    Magic{"BZh"sv, archive_source, Accept::kAny},                       // bzip2
    Magic{"\x04\x22\x4d\x18"sv, archive_source, Accept::kAny},          // lz4
    Magic{"LZIP"sv, archive_source, Accept::kAny},
    Magic{"\x1f\x9d"sv, archive_source, Accept::kAny},  // compress
};
constexpr size_t kLongestMagic = 6;

Result<std::vector<std::byte>> read_ahead(ByteSource& in, size_t wanted) {
  std::vector<std::byte> bytes(wanted);
  size_t have = 0;
  while (have < wanted) {
    STRATA_TRY(const size_t n, in.read(std::span(bytes).subspan(have)));
    if (n == 0) break;
    have += n;
  }
  bytes.resize(have);
  return bytes;
}

class PlainEncoder final : public Encoder {
 public:
  explicit PlainEncoder(ByteSink& out) : out_(out) {}
  Result<void> write(std::span<const std::byte> data) override { return out_.write(data); }
  Result<void> finish() override { return {}; }

 private:
  ByteSink& out_;
};

}  // namespace

Result<size_t> PrefixedSource::read(std::span<std::byte> buffer) {
  if (used_ == prefix_.size()) return rest_.read(buffer);
  const size_t n = std::min(buffer.size(), prefix_.size() - used_);
  std::memcpy(buffer.data(), prefix_.data() + used_, n);
  used_ += n;
  return n;
}

Result<Compression> parse_compression(std::string_view text) {
  if (text == "none") return Compression::kNone;
  if (text == "gzip") return Compression::kGzip;
  if (text == "zstd") return Compression::kZstd;
  return fail(EINVAL, "unknown compression '" + std::string(text) + "' (gzip, zstd or none)");
}

std::string_view layer_media_type(Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return kOciLayerGzip;
    case Compression::kZstd:
      return kOciLayerZstd;
    case Compression::kNone:
      break;
  }
  return kOciLayer;
}

Result<OwnedSource> decompress(ByteSource& in, Accept accept) {
  STRATA_TRY(std::vector<std::byte> head, read_ahead(in, kLongestMagic));
  const std::string start(reinterpret_cast<const char*>(head.data()), head.size());
  OwnedSource whole = std::make_unique<PrefixedSource>(std::move(head), in);
  for (const auto& magic : kMagics) {
    if (!start.starts_with(magic.bytes)) continue;
    if (magic.needs == Accept::kAny && accept != Accept::kAny)
      return fail(ENOTSUP, "a layer is compressed with gzip, zstd or not at all");
    return magic.open(std::move(whole));
  }
  return whole;
}

Result<std::unique_ptr<Encoder>> compress(ByteSink& out, Compression compression) {
  switch (compression) {
    case Compression::kGzip:
      return gzip_encoder(out);
    case Compression::kZstd:
      return zstd_encoder(out);
    case Compression::kNone:
      break;
  }
  return std::make_unique<PlainEncoder>(out);
}

}  // namespace strata::image
