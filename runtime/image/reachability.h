// What an index reaches, and which images containers need.
//
// Private to runtime/image. The caller holds the store's lock.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/image/index_edit.h"
#include "runtime/image/store.h"
#include "unionfs/base/result.h"

namespace strata::image {

// The blobs and layer trees of an image or of a whole index, by path.
struct Objects {
  std::set<std::filesystem::path> blobs;
  std::set<std::filesystem::path> layers;

  void add(const Objects& others);
  // Those of ours that are not in `others`.
  [[nodiscard]] Objects without(const Objects& others) const;
};

[[nodiscard]] Objects objects_of(const Store& store, const Image& image);

// Of all images of the index. An image that can't be read is an error: what it reaches is unknown.
[[nodiscard]] Result<Objects> reachable_objects(const Store& store, const Index& index);

// IDs of the images that containers are made from, with the containers' IDs.
[[nodiscard]] Result<std::map<std::string, std::vector<std::string>>> images_in_use(
    const Store& store);

// All that stands where only blobs or only layers should.
[[nodiscard]] Result<Objects> present_objects(const Store& store);

// Files that an interrupted write_file_atomic() left beside index.json. The caller keeps writers
// away.
[[nodiscard]] Result<std::vector<std::filesystem::path>> stale_index_files(const Store& store);

}  // namespace strata::image
