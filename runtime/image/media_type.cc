#include "runtime/image/media_type.h"

namespace strata::image {

bool is_index_type(std::string_view type) {
  return type == kOciIndex || type == kDockerIndex;
}

bool is_manifest_type(std::string_view type) {
  return type == kOciManifest || type == kDockerManifest;
}

bool is_config_type(std::string_view type) {
  return type == kOciConfig || type == kDockerConfig;
}

bool is_layer_type(std::string_view type) {
  return type == kOciLayer || type == kOciLayerGzip || type == kOciLayerZstd ||
         type == kDockerLayer || type == kDockerLayerGzip || type == kDockerLayerZstd;
}

std::string_view oci_layer_type(std::string_view type) {
  if (type == kDockerLayer || type == kOciLayer) return kOciLayer;
  return type == kDockerLayerGzip || type == kOciLayerGzip ? kOciLayerGzip : kOciLayerZstd;
}

bool is_foreign_layer_type(std::string_view type) {
  return type.starts_with("application/vnd.oci.image.layer.nondistributable.") ||
         type.starts_with("application/vnd.docker.image.rootfs.foreign.");
}

}  // namespace strata::image
