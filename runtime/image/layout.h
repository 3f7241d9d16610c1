// The OCI image layout under images/, read: index.json, and the images that its entries lead to.
//
// Private to runtime/image. Plain functions over files that only ever appear whole; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/image/oci_json.h"
#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::image {

// index.json; no entries if there is none yet. EBADMSG, with the remedy, if it is damaged.
[[nodiscard]] Result<std::vector<IndexEntry>> read_index(const Store& store);

// The names that entries give to the manifest with this digest, sorted, each once.
[[nodiscard]] std::vector<std::string> names_of(const std::vector<IndexEntry>& index,
                                                std::string_view manifest_digest);

// The image ID behind an entry: from our annotation, else from the manifest itself.
[[nodiscard]] Result<std::string> image_id_of(const Store& store, const IndexEntry& entry);

// The image behind one entry of `index`: its manifest and its configuration are read. EBADMSG if
// they are not what their digests say (in programs without digests: their sizes).
[[nodiscard]] Result<Image> read_image(const Store& store, const std::vector<IndexEntry>& index,
                                       const IndexEntry& entry);

// What a container is made from: the same without the manifest, so without blobs and sizes. Where
// our annotation names the configuration, the manifest is not read.
[[nodiscard]] Result<Image> read_runnable_image(const Store& store, const IndexEntry& entry);

}  // namespace strata::image
