#include "runtime/image/layer_ingest.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "unionfs/base/file.h"
#include "unionfs/layer_tar.h"

namespace strata::image {
namespace {

// The uncompressed tar of a layer, within its limits, digested as it is read.
class LayerStream {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LayerStream>> open(ByteSource& in,
                                                                 const LayerInput& input) {
    std::unique_ptr<LayerStream> stream(new LayerStream(in, input));
    STRATA_TRY(stream->plain_, decompress(stream->watched_, input.accept));
    const auto& limits = input.limits;
    stream->limited_.emplace(
        *stream->plain_, stream->watched_,
        StreamLimits{limits.max_layer_bytes, limits.max_ratio, limits.ratio_from});
    stream->digest_.emplace(*stream->limited_);
    return stream;
  }

  [[nodiscard]] ByteSource& source() { return *digest_; }
  [[nodiscard]] uint64_t bytes() const { return digest_->bytes(); }
  [[nodiscard]] std::string digest() { return digest_->digest(); }

 private:
  LayerStream(ByteSource& in, const LayerInput& input) : watched_(in, input.what, input.report) {}

  WatchedSource watched_;
  std::unique_ptr<ByteSource> plain_;
  std::optional<LimitedSource> limited_;
  std::optional<DigestSource> digest_;
};

Result<uint64_t> unpack(ByteSource& tar, const std::filesystem::path& tree,
                        const LayerInput& input) {
  constexpr mode_t kMode = 0755;
  STRATA_CHECK(make_dirs(tree, kMode));
  const unionfs::UnpackOptions options{.max_bytes = input.limits.max_layer_bytes,
                                       .max_entries = input.limits.max_entries};
  STRATA_TRY(const auto stats, unionfs::unpack_layer(tar, tree, options));
  return stats.bytes;
}

Result<void> check_diff_id(const std::string& found, const std::string& expected) {
  if (found == expected) return {};
  return fail(EBADMSG,
              "its content has the digest " + found + ", the configuration says " + expected);
}

void keep_blob(Staging& staging, const StagedFile& file, const StagedLayer& layer) {
  staging.add_blob(file);
  staging.note_pair(layer.diff_id, layer.blob);
}

Result<StagedLayer> stage_tar(Staging& staging, ByteSource& tar, Compression compression,
                              const LayerInput& input, const std::optional<std::string>& expected) {
  STRATA_TRY(const auto stream, LayerStream::open(tar, input));
  STRATA_TRY(StagedWriter blob, StagedWriter::create(staging.fresh_path()));
  STRATA_TRY(const auto encoder, compress(blob.sink(), compression));
  TeeSource tee(stream->source(), *encoder);
  const auto tree = staging.fresh_path();
  STRATA_TRY(const uint64_t bytes, unpack(tee, tree, input));
  STRATA_CHECK(encoder->finish());
  if (stream->bytes() == 0) return fail(EINVAL, "it is empty, not a tar");
  std::string diff_id = stream->digest();
  if (expected) STRATA_CHECK(check_diff_id(diff_id, *expected));
  if (!staging.has_layer(diff_id)) staging.add_tree(diff_id, tree, bytes);
  const StagedFile file = blob.finish();
  StagedLayer layer{{std::string(layer_media_type(compression)), file.digest, file.size},
                    std::move(diff_id)};
  keep_blob(staging, file, layer);
  return layer;
}

// Only digests a blob: its tree is there already.
Result<void> verify_blob(const std::filesystem::path& blob, const std::string& diff_id,
                         const LayerInput& input) {
  STRATA_TRY(const UniqueFd fd, open_file(blob, O_RDONLY));
  FdSource in(fd.get(), blob.string());
  STRATA_TRY(const auto stream, LayerStream::open(in, input));
  NullSink nowhere;
  STRATA_CHECK(copy_stream(stream->source(), nowhere));
  return check_diff_id(stream->digest(), diff_id);
}

Result<StagedLayer> stage_blob(Staging& staging, const StagedFile& file,
                               std::string_view media_type, const std::string& diff_id,
                               const LayerInput& input) {
  StagedLayer layer{{std::string(media_type), file.digest, file.size}, diff_id};
  if (!staging.has_layer(diff_id)) {
    auto tree = staging.fresh_path();
    STRATA_TRY(const uint64_t bytes, unpack_blob(file.path, tree, diff_id, input));
    staging.add_tree(diff_id, std::move(tree), bytes);
  } else if (!staging.is_known_pair(file.digest, diff_id)) {
    STRATA_CHECK(verify_blob(file.path, diff_id, input));
  }
  // Even if the store has the blob: what came was verified, what stands there may be damaged.
  keep_blob(staging, file, layer);
  return layer;
}

}  // namespace

Result<StagedLayer> ingest_tar(Staging& staging, ByteSource& tar, Compression compression,
                               const LayerInput& input,
                               const std::optional<std::string>& expected) {
  auto layer = stage_tar(staging, tar, compression, input, expected);
  if (!layer) return fail_in(input.what, std::move(layer).error());
  return layer;
}

Result<StagedLayer> ingest_blob(Staging& staging, const StagedFile& file,
                                std::string_view media_type, const std::string& diff_id,
                                const LayerInput& input) {
  auto layer = stage_blob(staging, file, media_type, diff_id, input);
  if (!layer) return fail_in(input.what, std::move(layer).error());
  return layer;
}

Result<uint64_t> unpack_blob(const std::filesystem::path& blob, const std::filesystem::path& tree,
                             const std::string& diff_id, const LayerInput& input) {
  STRATA_TRY(const UniqueFd fd, open_file(blob, O_RDONLY));
  FdSource in(fd.get(), blob.string());
  STRATA_TRY(const auto stream, LayerStream::open(in, input));
  STRATA_TRY(const uint64_t bytes, unpack(stream->source(), tree, input));
  STRATA_CHECK(check_diff_id(stream->digest(), diff_id));
  return bytes;
}

}  // namespace strata::image
