// The JSON documents of image-spec 1.1 (image-layout.md, image-index.md, manifest.md, config.md)
// read into values. Documents come from strangers: digests must have their form, sizes must be
// unsigned integers, media types must be known where it matters, counts are bounded. Every error
// is EINVAL (ENOTSUP for what is valid but not supported) and names the document and the member.
//
// Private to runtime/image. Plain functions, any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/image.h"
#include "unionfs/base/result.h"

namespace strata::image {

// What a document may be long: registries take manifests of 4 MiB at most (distribution-spec).
inline constexpr size_t kMaxManifestBytes = size_t{4} << 20;
inline constexpr size_t kMaxConfigBytes = size_t{8} << 20;
inline constexpr size_t kMaxIndexBytes = size_t{64} << 20;

// Annotations of index.json that we read; the last two are ours.
inline constexpr const char* kRefName = "org.opencontainers.image.ref.name";
inline constexpr const char* kContainerdName = "io.containerd.image.name";
inline constexpr const char* kImageId = "strata.image.id";  // digest of the configuration
inline constexpr const char* kLayerSizes = "strata.image.layer-sizes";  // Layer::size, "1,2,3"

// One entry of an index.
struct IndexEntry {
  Descriptor target;  // an image manifest or, in a multi-platform image, another index
  std::string os;     // of "platform"; empty if not said
  std::string architecture;
  std::map<std::string, std::string> annotations;

  // The annotation's value, or "".
  [[nodiscard]] std::string annotation(const char* key) const;
};

struct Manifest {
  std::string media_type;  // empty if the document doesn't say
  Descriptor config;
  std::vector<Descriptor> layers;  // bottom first
};

struct ParsedConfig {
  Config config;
  std::vector<std::string> diff_ids;  // bottom first
};

[[nodiscard]] Result<std::vector<IndexEntry>> parse_index(std::string_view text,
                                                          std::string_view name);

// Refuses foreign layers and layer or config media types that we can't read (ENOTSUP).
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text, std::string_view name);

[[nodiscard]] Result<ParsedConfig> parse_config(std::string_view text, std::string_view name);

// index.json as image-layout wants it.
[[nodiscard]] std::string index_to_json(const std::vector<IndexEntry>& entries);

// A manifest document of ours. REQUIRES: manifest.media_type is set.
[[nodiscard]] std::string manifest_to_json(const Manifest& manifest);

}  // namespace strata::image
