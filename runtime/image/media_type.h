// The media types of image-spec 1.1 (media-types.md) and their Docker twins.
#pragma once

#include <string_view>

namespace strata::image {

inline constexpr std::string_view kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kOciConfig = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kOciLayer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view kOciLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kOciLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";

inline constexpr std::string_view kDockerIndex =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view kDockerManifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view kDockerLayerGzip =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view kDockerLayerZstd =
    "application/vnd.docker.image.rootfs.diff.tar.zstd";

[[nodiscard]] bool is_index_type(std::string_view type);
[[nodiscard]] bool is_manifest_type(std::string_view type);
[[nodiscard]] bool is_config_type(std::string_view type);

// A layer whose content travels with the image.
[[nodiscard]] bool is_layer_type(std::string_view type);

// The OCI name of what a Docker layer type means; OCI types as they are.
// REQUIRES: is_layer_type(type).
[[nodiscard]] std::string_view oci_layer_type(std::string_view type);

// A layer whose content is to be fetched from elsewhere ("foreign", "non-distributable").
[[nodiscard]] bool is_foreign_layer_type(std::string_view type);

}  // namespace strata::image
