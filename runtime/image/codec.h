// Compressed streams: gzip and zstd through their own libraries (which verify checksums), and for
// reading whatever else tars come in (xz, bzip2, lz4, …) through libarchive.
//
// What a stream is, is told by its first bytes, never by its name or media type: both lie.
//
// Thread rule: one user at a time.
#pragma once

#include <memory>
#include <string_view>

#include "unionfs/base/stream.h"

namespace strata::image {

enum class Compression { kNone, kGzip, kZstd };

// "none", "gzip" or "zstd"; anything else is EINVAL.
[[nodiscard]] Result<Compression> parse_compression(std::string_view text);

// The media type of an OCI layer in this form.
[[nodiscard]] std::string_view layer_media_type(Compression compression);

enum class Accept {
  kLayer,  // plain, gzip, zstd: what image-spec knows
  kAny,    // those, xz, bzip2, lz4, lzip, compress
};

// What `in` holds, uncompressed. `in` must outlive the source. Damage and truncation are EBADMSG;
// a form that is not accepted is ENOTSUP. The caller adds to errors what was being read.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> decompress(ByteSource& in, Accept accept);

// A sink that compresses into another one.
class Encoder : public ByteSink {
 public:
  // Writes what is still held back. Without it the output is not complete.
  [[nodiscard]] virtual Result<void> finish() = 0;
};

// `out` must outlive the encoder. The same bytes in give the same bytes out.
[[nodiscard]] Result<std::unique_ptr<Encoder>> compress(ByteSink& out, Compression compression);

}  // namespace strata::image
