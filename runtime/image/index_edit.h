// Changes to index.json: the names and the images that the store has.
//
// The functions on entries are pure; update_index() applies one of them crash-safely. Any thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/oci_json.h"
#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::image {

using Index = std::vector<IndexEntry>;

// Adds an image without a name unless the index has its manifest already. `entry` carries the
// manifest and the annotations kImageId and kLayerSizes, but no name.
void add_image(Index& index, const IndexEntry& entry);

// Gives the manifest of `entry` the name; it is taken from any other image that had it. An image
// that loses its last name stays, without one.
void set_name(Index& index, const IndexEntry& entry, const std::string& name);

// Takes a name away; its image stays. False if nothing has the name.
[[nodiscard]] bool drop_name(Index& index, const std::string& name);

// Takes an image and all its names out.
void remove_manifest(Index& index, std::string_view manifest_digest);

// Reads index.json, lets `change` edit it and replaces it atomically and durably, with other
// writers kept out. The caller holds the store's lock (shared or exclusive), so that what the new
// index names can't be removed meanwhile. An error from `change` leaves the index as it was.
[[nodiscard]] Result<void> update_index(const Store& store,
                                        const std::function<Result<void>(Index&)>& change);

}  // namespace strata::image
