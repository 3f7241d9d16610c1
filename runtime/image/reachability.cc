#include "runtime/image/reachability.h"

#include <algorithm>
#include <iterator>

#include "runtime/image/layout.h"
#include "runtime/image/workspace.h"
#include "unionfs/base/file.h"

namespace strata::image {

void Objects::add(const Objects& others) {
  blobs.insert(others.blobs.begin(), others.blobs.end());
  layers.insert(others.layers.begin(), others.layers.end());
}

Objects Objects::without(const Objects& others) const {
  Objects rest;
  std::set_difference(blobs.begin(), blobs.end(), others.blobs.begin(), others.blobs.end(),
                      std::inserter(rest.blobs, rest.blobs.end()));
  std::set_difference(layers.begin(), layers.end(), others.layers.begin(), others.layers.end(),
                      std::inserter(rest.layers, rest.layers.end()));
  return rest;
}

Objects objects_of(const Store& store, const Image& image) {
  Objects objects;
  objects.blobs = {store.blob_path(image.manifest.digest), store.blob_path(image.id)};
  for (const auto& layer : image.layers) {
    objects.blobs.insert(store.blob_path(layer.blob.digest));
    objects.layers.insert(layer.tree);
  }
  return objects;
}

Result<Objects> reachable_objects(const Store& store, const Index& index) {
  Objects all;
  for (const auto& entry : index) {
    auto image = read_image(store, index, entry);
    if (!image) return fail(EBADMSG, image.error().what + " ('strata fsck' tells more)");
    all.add(objects_of(store, *image));
  }
  return all;
}

Result<std::map<std::string, std::vector<std::string>>> images_in_use(const Store& store) {
  std::map<std::string, std::vector<std::string>> users;
  STRATA_TRY(const auto containers, list_dir(store.containers_dir()));
  for (const auto& container : containers) {
    constexpr size_t kLimit = 4096;
    // A directory without the file is a container that is not made yet, or no more.
    auto text = read_file_if_exists(container / "image", kLimit);
    if (!text && text.error().code != ENOTDIR) return std::unexpected(std::move(text).error());
    if (!text || !*text) continue;
    std::string id = **std::move(text);
    while (id.ends_with('\n')) id.pop_back();
    users[id].push_back(container.filename().string());
  }
  return users;
}

Result<Objects> present_objects(const Store& store) {
  Objects present;
  STRATA_TRY(const auto blobs, list_dir(store.layout_dir() / "blobs/sha256"));
  STRATA_TRY(const auto layers, list_dir(store.layers_dir()));
  present.blobs.insert(blobs.begin(), blobs.end());
  present.layers.insert(layers.begin(), layers.end());
  return present;
}

Result<std::vector<std::filesystem::path>> stale_index_files(const Store& store) {
  STRATA_TRY(auto files, list_dir(store.layout_dir()));
  std::erase_if(files, [](const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return !name.starts_with("index.json.") && !name.starts_with("oci-layout.");
  });
  return files;
}

}  // namespace strata::image
