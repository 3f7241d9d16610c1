// The end of import, load and commit alike: an image's documents are written and the image is
// published.
//
// Private to runtime/image.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/image/config_change.h"
#include "runtime/image/ingest.h"
#include "runtime/image/layer_ingest.h"
#include "runtime/image/staging.h"
#include "unionfs/base/result.h"

namespace strata::image {

// What import and commit have in common: one layer of ours, on a base or by itself.
struct NewImage {
  std::optional<Image> base;
  std::string name;
  std::string created_by;
  Authoring authoring;
};

// Checks what a person gave before any work is done; the name comes back in full ("web:latest").
[[nodiscard]] Result<std::string> check_request(const std::string& name,
                                                const Authoring& authoring);

// Makes configuration and manifest, publishes, and reads the image back.
[[nodiscard]] Result<Image> publish_new_image(Staging& staging, const NewImage& image,
                                              const StagedLayer& layer);

// The index entry of an image whose manifest and layers are staged.
[[nodiscard]] IndexEntry make_entry(const Staging& staging, const Descriptor& manifest,
                                    const std::string& image_id, const Config& config,
                                    const std::vector<std::string>& diff_ids);

}  // namespace strata::image
