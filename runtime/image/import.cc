#include "runtime/image/ingest.h"
#include "runtime/image/layer_ingest.h"
#include "runtime/image/new_image.h"

namespace strata::image {

Result<Image> import_tar(const Store& store, ByteSource& tar, std::string_view source,
                         const std::string& name, const ImportOptions& options) {
  NewImage image{.created_by = "strata import " + std::string(source),
                 .authoring = options.authoring};
  STRATA_TRY(image.name, check_request(name, options.authoring));
  if (options.base) {
    STRATA_TRY(image.base, store.get(*options.base));
  }
  STRATA_TRY(Staging staging, Staging::create(store));
  const LayerInput input{.what = std::string(source),
                         .accept = Accept::kAny,
                         .limits = options.limits,
                         .report = options.report};
  STRATA_TRY(const StagedLayer layer, ingest_tar(staging, tar, options.compression, input));
  return publish_new_image(staging, image, layer);
}

}  // namespace strata::image
