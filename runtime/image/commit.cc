#include <fcntl.h>

#include "runtime/image/ingest.h"
#include "runtime/image/layer_ingest.h"
#include "runtime/image/new_image.h"
#include "unionfs/base/file.h"
#include "unionfs/index/cache.h"
#include "unionfs/upper_tar.h"

namespace strata::image {
namespace {

// Packs the upper directory into a blob of the workspace and digests both forms of it.
Result<std::pair<StagedFile, std::string>> pack(const Store& store, Staging& staging,
                                                const Image& base,
                                                const std::filesystem::path& upper) {
  STRATA_TRY(unionfs::LayerStack stack, unionfs::LayerStack::open(base.trees_top_first()));
  STRATA_TRY(unionfs::index::OpenedIndex opened,
             unionfs::index::open_index(stack, store.union_dir() / "index"));
  STRATA_TRY(StagedWriter blob, StagedWriter::create(staging.fresh_path()));
  STRATA_TRY(const auto encoder, compress(blob.sink(), Compression::kZstd));
  DigestSink plain(*encoder);
  STRATA_CHECK(unionfs::pack_upper(std::move(stack), std::move(opened.index), upper, plain));
  STRATA_CHECK(encoder->finish());
  return std::pair(blob.finish(), plain.digest());
}

}  // namespace

Result<Image> commit_upper(const Store& store, const std::filesystem::path& upper,
                           const std::string& base_id, const std::string& name,
                           const CommitOptions& options) {
  NewImage image{.created_by = options.created_by, .authoring = options.authoring};
  STRATA_TRY(image.name, check_request(name, options.authoring));
  STRATA_TRY(image.base, store.get(base_id));
  STRATA_TRY(Staging staging, Staging::create(store));
  STRATA_TRY(const auto packed, pack(store, staging, *image.base, upper));
  // The tree is unpacked from the tar, not taken from the upper directory: what the image holds is
  // what the tar says, on this machine and on any other.
  const LayerInput input{.what = "layer of " + upper.string(), .report = options.report};
  STRATA_TRY(const StagedLayer layer,
             ingest_blob(staging, packed.first, layer_media_type(Compression::kZstd), packed.second,
                         input));
  return publish_new_image(staging, image, layer);
}

}  // namespace strata::image
