#include "runtime/image/rebuild_index.h"

#include <algorithm>
#include <optional>

#include "runtime/image/digest.h"
#include "runtime/image/index_edit.h"
#include "runtime/image/layout.h"
#include "runtime/image/media_type.h"
#include "runtime/image/sha256.h"
#include "runtime/image/workspace.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

// The entry for a blob that is the manifest of a whole image; nullopt for any other blob.
std::optional<IndexEntry> entry_for(const Store& store, const std::filesystem::path& blob) {
  std::error_code error;
  const auto size = std::filesystem::file_size(blob, error);
  if (error || size > kMaxManifestBytes) return std::nullopt;
  const auto text = read_file(blob, kMaxManifestBytes);
  if (!text || !text->starts_with('{')) return std::nullopt;
  const std::string digest = sha256_digest(*text);
  if (digest_hex(digest) != blob.filename().string()) return std::nullopt;
  const auto manifest = parse_manifest(*text, digest);
  if (!manifest) return std::nullopt;
  const std::string type =
      manifest->media_type.empty() ? std::string(kOciManifest) : manifest->media_type;
  IndexEntry entry{.target = {type, digest, size}};
  const auto image = read_image(store, {}, entry);
  if (!image) return std::nullopt;
  const auto is_there = [&](const Layer& layer) {
    return std::filesystem::exists(store.blob_path(layer.blob.digest), error);
  };
  if (!std::all_of(image->layers.begin(), image->layers.end(), is_there)) return std::nullopt;
  entry.os = image->config.os;
  entry.architecture = image->config.architecture;
  entry.annotations[kImageId] = image->id;
  return entry;
}

}  // namespace

Result<size_t> rebuild_index(const Store& store) {
  STRATA_TRY(const auto blobs, list_dir(store.layout_dir() / "blobs/sha256"));
  Index index;
  for (const auto& blob : blobs)
    if (auto entry = entry_for(store, blob)) index.push_back(*std::move(entry));
  const auto path = store.layout_dir() / "index.json";
  STRATA_TRY(const std::string damaged, read_file(path, kMaxIndexBytes));
  STRATA_CHECK(write_file_atomic(store.root() / "index.json.damaged", damaged));
  STRATA_CHECK(write_file_atomic(path, index_to_json(index)));
  return index.size();
}

}  // namespace strata::image
