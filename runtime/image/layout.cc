#include "runtime/image/layout.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "runtime/image/digest.h"
#include "unionfs/base/file.h"

namespace strata::image {

// sha256.h. Weak: programs that only read the store, `strata` above all, don't link the library for
// digests, which would take more time to load than a container to start. They check the sizes of
// documents; the others, and fsck, their digests.
[[gnu::weak]] std::string sha256_digest(std::string_view text);

namespace {

Result<std::string> read_document(const Store& store, const Descriptor& document,
                                  const std::string& place, size_t limit) {
  auto text = read_file(store.blob_path(document.digest), limit);
  if (!text) return fail_in(place, std::move(text).error());
  const bool is_whole = text->size() == document.size &&
                        (sha256_digest == nullptr || sha256_digest(*text) == document.digest);
  if (!is_whole)
    return fail(EBADMSG, place + ": it is damaged: its content is not what its digest and size " +
                             "say ('strata load' the image again, or remove it)");
  return text;
}

Result<Manifest> read_manifest(const Store& store, const IndexEntry& entry) {
  const std::string place = "manifest " + entry.target.digest;
  STRATA_TRY(const std::string text, read_document(store, entry.target, place, kMaxManifestBytes));
  return parse_manifest(text, place);
}

// "1,2,3" as `count` numbers; nullopt if it is anything else.
std::optional<std::vector<uint64_t>> parse_sizes(std::string_view text, size_t count) {
  std::vector<uint64_t> sizes;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    uint64_t size = 0;
    const auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || (next != end && *next != ',')) return std::nullopt;
    sizes.push_back(size);
    at = next == end ? end : next + 1;
  }
  return sizes.size() == count ? std::optional(std::move(sizes)) : std::nullopt;
}

}  // namespace

Result<std::vector<IndexEntry>> read_index(const Store& store) {
  const auto path = store.layout_dir() / "index.json";
  STRATA_TRY(const auto text, read_file_if_exists(path, kMaxIndexBytes));
  if (!text) return std::vector<IndexEntry>();
  auto index = parse_index(*text, path.string());
  if (!index)
    return fail(EBADMSG, index.error().what +
                             "; 'strata fsck --repair' makes it anew from the images' manifests, "
                             "but their names are lost");
  return index;
}

std::vector<std::string> names_of(const std::vector<IndexEntry>& index,
                                  std::string_view manifest_digest) {
  std::vector<std::string> names;
  for (const auto& entry : index) {
    if (entry.target.digest != manifest_digest) continue;
    if (auto name = entry.annotation(kRefName); !name.empty()) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::string> image_id_of(const Store& store, const IndexEntry& entry) {
  if (auto id = entry.annotation(kImageId); is_digest(id)) return id;
  STRATA_TRY(const Manifest manifest, read_manifest(store, entry));
  return manifest.config.digest;
}

Result<Image> read_image(const Store& store, const std::vector<IndexEntry>& index,
                         const IndexEntry& entry) {
  STRATA_TRY(const Manifest manifest, read_manifest(store, entry));
  const std::string place = "configuration " + manifest.config.digest;
  STRATA_TRY(const std::string text, read_document(store, manifest.config, place, kMaxConfigBytes));
  STRATA_TRY(ParsedConfig parsed, parse_config(text, place));
  if (parsed.diff_ids.size() != manifest.layers.size())
    return fail(EBADMSG, "image " + manifest.config.digest + ": its manifest lists " +
                             std::to_string(manifest.layers.size()) +
                             " layers, its configuration " +
                             std::to_string(parsed.diff_ids.size()));
  Image image{.id = manifest.config.digest,
              .manifest = entry.target,
              .names = names_of(index, entry.target.digest),
              .config = std::move(parsed.config)};
  const size_t count = manifest.layers.size();
  // Only entries of ours say how much a layer holds; a foreign one counts as it is distributed.
  const auto sizes = parse_sizes(entry.annotation(kLayerSizes), count);
  std::set<std::string_view> counted;
  for (size_t i = 0; i < count; ++i) {
    const auto& diff_id = parsed.diff_ids[i];
    const uint64_t size = sizes ? (*sizes)[i] : manifest.layers[i].size;
    image.layers.push_back({manifest.layers[i], diff_id, store.layer_path(diff_id), size});
    if (counted.insert(diff_id).second) image.size += size;
  }
  return image;
}

Result<Image> read_runnable_image(const Store& store, const IndexEntry& entry) {
  Image image{.manifest = entry.target};
  STRATA_TRY(image.id, image_id_of(store, entry));
  const std::string place = "configuration " + image.id;
  auto text = read_file(store.blob_path(image.id), kMaxConfigBytes);
  if (!text) return fail_in(place, std::move(text).error());
  STRATA_TRY(ParsedConfig parsed, parse_config(*text, place));
  image.config = std::move(parsed.config);
  for (auto& diff_id : parsed.diff_ids) {
    auto tree = store.layer_path(diff_id);
    image.layers.push_back({.diff_id = std::move(diff_id), .tree = std::move(tree)});
  }
  return image;
}

}  // namespace strata::image
