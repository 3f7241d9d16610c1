#include "runtime/image/staging.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "runtime/image/digest.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

bool is_there(const std::filesystem::path& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool has_content(const std::filesystem::path& path, std::string_view digest) {
  const auto fd = open_file(path, O_RDONLY);
  if (!fd) return false;
  FdSource file(fd->get(), path.string());
  DigestSource content(file);
  NullSink nowhere;
  return copy_stream(content, nowhere).has_value() && content.digest() == digest;
}

}  // namespace

Result<StagedWriter> StagedWriter::create(const std::filesystem::path& path) {
  constexpr mode_t kMode = 0644;
  STRATA_TRY(UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_EXCL, kMode));
  StagedWriter writer(path);
  writer.parts_ = std::make_unique<Parts>(std::move(fd), path.string());
  return writer;
}

Result<Staging> Staging::create(const Store& store) {
  STRATA_TRY(Workspace workspace, Workspace::create(store));
  Staging staging(store, std::move(workspace));
  // A store with a damaged image still takes new ones: it only can't tell what it has.
  if (const auto images = store.list()) {
    for (const auto& image : *images)
      for (const auto& layer : image.layers) {
        staging.note_pair(layer.diff_id, layer.blob);
        staging.sizes_.emplace(layer.diff_id, layer.size);
      }
  }
  return staging;
}

Result<Descriptor> Staging::add_text_blob(std::string_view media_type, std::string_view text) {
  STRATA_TRY(StagedWriter writer, StagedWriter::create(fresh_path()));
  STRATA_CHECK(writer.sink().write(std::as_bytes(std::span(text))));
  const StagedFile file = writer.finish();
  add_blob(file);
  return Descriptor{std::string(media_type), file.digest, file.size};
}

void Staging::add_tree(std::string_view diff_id, std::filesystem::path tree, uint64_t size) {
  trees_.insert_or_assign(std::string(diff_id), std::move(tree));
  sizes_.insert_or_assign(std::string(diff_id), size);
}

bool Staging::has_layer(std::string_view diff_id) {
  if (trees_.contains(diff_id)) return true;
  auto path = store_->layer_path(diff_id);
  if (!sizes_.contains(diff_id) || !is_there(path)) return false;
  relied_on_.insert(std::move(path));
  return true;
}

bool Staging::has_blob(std::string_view digest) {
  if (blobs_.contains(digest)) return true;
  auto path = store_->blob_path(digest);
  if (!is_there(path)) return false;
  relied_on_.insert(std::move(path));
  return true;
}

void Staging::note_pair(std::string_view diff_id, const Descriptor& blob) {
  if (!is_known_pair(blob.digest, diff_id)) known_.emplace(diff_id, blob);
}

const Descriptor* Staging::known_blob(std::string_view diff_id) {
  const auto [first, last] = known_.equal_range(diff_id);
  const auto it = std::find_if(first, last, [&](const auto& k) {
    const std::string& digest = k.second.digest;
    return has_blob(digest) &&
           (blobs_.contains(digest) || has_content(store_->blob_path(digest), digest));
  });
  return it != last ? &it->second : nullptr;
}

bool Staging::is_known_pair(std::string_view blob_digest, std::string_view diff_id) {
  const auto [first, last] = known_.equal_range(diff_id);
  return std::any_of(first, last, [&](const auto& k) { return k.second.digest == blob_digest; });
}

uint64_t Staging::layer_size(std::string_view diff_id) const {
  const auto it = sizes_.find(diff_id);
  return it != sizes_.end() ? it->second : 0;
}

void Staging::add_image(IndexEntry entry, std::vector<std::string> names) {
  images_.push_back({std::move(entry), std::move(names)});
}

Result<void> Staging::publish() {
  STRATA_CHECK(workspace_.sync());
  STRATA_TRY(const StoreLock lock, store_->lock_shared());
  STRATA_CHECK(check_reliance());
  STRATA_CHECK(move_into_place());
  return update_index(*store_, [&](Index& index) -> Result<void> {
    for (const auto& [entry, names] : images_) {
      image::add_image(index, entry);
      for (const auto& name : names) set_name(index, entry, name);
    }
    return {};
  });
}

Result<void> Staging::check_reliance() const {
  for (const auto& path : relied_on_)
    if (!is_there(path))
      return fail(ESTALE,
                  path.string() + ", which this image shares, was removed meanwhile; try again");
  return {};
}

Result<void> Staging::move_into_place() const {
  for (const auto& [digest, path] : blobs_) {
    const auto target = store_->blob_path(digest);
    if (::rename(path.c_str(), target.c_str()) < 0)
      return fail_errno("rename " + path.string() + " to " + target.string());
  }
  for (const auto& [diff_id, path] : trees_) {
    const auto target = store_->layer_path(diff_id);
    // A layer that came in by another way meanwhile is the same one: ours goes with the workspace.
    if (::rename(path.c_str(), target.c_str()) < 0 && errno != ENOTEMPTY && errno != EEXIST)
      return fail_errno("rename " + path.string() + " to " + target.string());
  }
  STRATA_CHECK(fsync_dir(store_->layout_dir() / "blobs/sha256"));
  return fsync_dir(store_->layers_dir());
}

}  // namespace strata::image
