// Everything that one operation adds to the store: made in a workspace, published at the end in
// one go, in an order that leaves the store whole wherever it is cut off:
//   1. all blobs and layer trees are on the disk, in tmp/;
//   2. they are renamed into place (unreachable until 3, so at worst refuse);
//   3. index.json, which names them, is replaced.
// Without publish() nothing is kept.
//
// Private to runtime/image. Thread rule: one owner.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/image/index_edit.h"
#include "runtime/image/pipeline.h"
#include "runtime/image/store.h"
#include "runtime/image/workspace.h"
#include "unionfs/base/result.h"

namespace strata::image {

struct StagedFile {
  std::filesystem::path path;
  std::string digest;
  uint64_t size = 0;
};

// A file in the workspace, digested while it is written.
class StagedWriter {
 public:
  [[nodiscard]] static Result<StagedWriter> create(const std::filesystem::path& path);

  [[nodiscard]] ByteSink& sink() { return parts_->digest; }
  // Ends writing. Once.
  [[nodiscard]] StagedFile finish() {
    return {path_, parts_->digest.digest(), parts_->digest.bytes()};
  }

 private:
  struct Parts {
    Parts(UniqueFd file, std::string name)
        : fd(std::move(file)), out(fd.get(), std::move(name)), digest(out) {}
    UniqueFd fd;
    FdSink out;
    DigestSink digest;
  };
  explicit StagedWriter(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
  std::unique_ptr<Parts> parts_;  // they refer to each other, so they stay where they are
};

class Staging {
 public:
  [[nodiscard]] static Result<Staging> create(const Store& store);

  [[nodiscard]] const Store& store() const { return *store_; }
  [[nodiscard]] std::filesystem::path fresh_path() { return workspace_.fresh_path(); }

  // A blob of a few bytes (manifest, configuration).
  [[nodiscard]] Result<Descriptor> add_text_blob(std::string_view media_type,
                                                 std::string_view text);
  void add_blob(const StagedFile& file) { blobs_[file.digest] = file.path; }
  void add_tree(std::string_view diff_id, std::filesystem::path tree, uint64_t size);

  // Whether the layer or blob is staged or stands in the store already; a layer that no image has
  // (what a killed program left) does not count. What is said to be in the store is looked for
  // again by publish(), since another process may remove it in between.
  [[nodiscard]] bool has_layer(std::string_view diff_id);
  [[nodiscard]] bool has_blob(std::string_view digest);

  // Remembers that a blob was seen to hold a layer.
  void note_pair(std::string_view diff_id, const Descriptor& blob);

  // A blob, staged or in the store, that is known to hold this layer, for an image that brings the
  // layer in another form; nullptr if there is none. One in the store is read and verified.
  [[nodiscard]] const Descriptor* known_blob(std::string_view diff_id);

  // Whether the two were seen to belong together: here, or when an image of the store came in.
  [[nodiscard]] bool is_known_pair(std::string_view blob_digest, std::string_view diff_id);

  // Bytes of the files in a layer. REQUIRES: has_layer(diff_id).
  [[nodiscard]] uint64_t layer_size(std::string_view diff_id) const;

  // Puts an image into the index on publish(), with its names (may be none).
  void add_image(IndexEntry entry, std::vector<std::string> names);

  // ESTALE: something that this relied on was removed meanwhile; doing it all again helps.
  [[nodiscard]] Result<void> publish();

 private:
  struct NewImage {
    IndexEntry entry;
    std::vector<std::string> names;
  };
  Staging(const Store& store, Workspace workspace)
      : store_(&store), workspace_(std::move(workspace)) {}
  [[nodiscard]] Result<void> check_reliance() const;
  [[nodiscard]] Result<void> move_into_place() const;

  const Store* store_;
  Workspace workspace_;
  std::map<std::string, std::filesystem::path, std::less<>> blobs_;  // by digest
  std::map<std::string, std::filesystem::path, std::less<>> trees_;  // by diff_id
  std::map<std::string, uint64_t, std::less<>> sizes_;  // of layers, staged or in the store
  std::set<std::filesystem::path> relied_on_;
  std::multimap<std::string, Descriptor, std::less<>> known_;  // blobs by diff_id
  std::vector<NewImage> images_;
};
}  // namespace strata::image
