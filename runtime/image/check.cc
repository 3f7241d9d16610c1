#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "runtime/image/codec.h"
#include "runtime/image/digest.h"
#include "runtime/image/layer_ingest.h"
#include "runtime/image/layout.h"
#include "runtime/image/maintain.h"
#include "runtime/image/pipeline.h"
#include "runtime/image/reachability.h"
#include "runtime/image/rebuild_index.h"
#include "runtime/image/tree_check.h"
#include "runtime/image/workspace.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::image {
namespace {

using Path = std::filesystem::path;

class Checker {
 public:
  Checker(const Store& store, const Report& report) : store_(store), report_(report) {}

  // Every look at what is there. The caller holds the exclusive lock, so that nobody's half-done
  // publication looks like refuse. With a workspace, what can be repaired is.
  Result<void> check_structure(Workspace* workspace);

  // The long part: digests of the blobs that images reach, and whether their trees are complete.
  Result<void> check_blobs();

  // Unpacks anew what check_blobs() found incomplete. The caller holds the exclusive lock again.
  void restore_trees();

  [[nodiscard]] std::vector<Finding> take_findings() { return std::move(findings_); }

 private:
  void find(std::string kind, std::string object, std::string detail, bool repaired = false) {
    // Many errors name their object themselves.
    if (detail.starts_with(object + ": ")) detail.erase(0, object.size() + 2);
    findings_.push_back({std::move(kind), std::move(object), std::move(detail), repaired});
  }
  void check_version();
  Result<void> check_index();
  Result<std::optional<Index>> usable_index();
  Result<void> check_blob(const Path& path, const std::string& what);
  Result<void> check_blob_and_tree(ByteSource& blob, const Layer& layer);
  void check_image(const Image& image);
  void check_layer(const Image& image, const Layer& layer);
  Result<void> restore_layer(const Layer& layer);
  Result<void> check_unreachable();
  Result<void> check_containers();
  bool remove_refuse(const Path& path) {
    return workspace_ != nullptr && workspace_->take(path).has_value();
  }

  const Store& store_;
  const Report& report_;
  Workspace* workspace_ = nullptr;
  std::vector<Finding> findings_;
  bool index_is_whole_ = true;  // everything that the index reaches is known
  Objects reachable_;
  std::set<std::string> image_ids_;
  std::map<Path, Layer> layers_;  // by blob; those that have a tree
  struct BadTree {
    size_t finding;
    Layer layer;
  };
  std::vector<BadTree> bad_trees_;
};

void Checker::check_version() {
  const auto path = store_.layout_dir() / "oci-layout";
  const auto bad = [&](std::string why) { find("damaged-layout", path.string(), std::move(why)); };
  const auto text = read_file(path, kMaxManifestBytes);
  if (!text) return bad(text.error().what);
  const auto json = parse_json(*text, path.string());
  if (!json) return bad(json.error().what);
  const auto version = json_get<std::string>(*json, "imageLayoutVersion", "", path.string());
  if (!version || *version != "1.0.0") bad("imageLayoutVersion is not 1.0.0");
}

// The index, made anew if it is damaged and a repair is asked for; nullopt if nothing can be said.
Result<std::optional<Index>> Checker::usable_index() {
  auto index = read_index(store_);
  if (index) return *std::move(index);
  const std::string path = (store_.layout_dir() / "index.json").string();
  if (workspace_ == nullptr || index.error().code != EBADMSG) {
    find("damaged-index", path, index.error().what);
    return std::nullopt;
  }
  const auto count = rebuild_index(store_);
  if (!count) {
    find("damaged-index", path, count.error().what);
    return std::nullopt;
  }
  find("damaged-index", path,
       "made anew from the manifests of " + std::to_string(*count) +
           " images; their names are lost: 'strata images' lists their IDs, 'strata tag' names "
           "them again (the damaged index is kept as " +
           (store_.root() / "index.json.damaged").string() + ")",
       true);
  STRATA_TRY(index, read_index(store_));
  return *std::move(index);
}

Result<void> Checker::check_index() {
  STRATA_TRY(const auto index, usable_index());
  index_is_whole_ = index.has_value();
  if (!index) return {};
  std::set<std::string> seen;
  for (const auto& entry : *index) {
    if (!seen.insert(entry.target.digest).second) continue;
    const auto image = read_image(store_, *index, entry);
    if (!image) {
      index_is_whole_ = false;
      find("damaged-image", entry.target.digest, image.error().what);
      continue;
    }
    check_image(*image);
  }
  return {};
}

void Checker::check_image(const Image& image) {
  image_ids_.insert(image.id);
  reachable_.add(objects_of(store_, image));
  std::set<std::string> seen;
  for (const auto& layer : image.layers)
    if (seen.insert(layer.diff_id).second) check_layer(image, layer);
}

void Checker::check_layer(const Image& image, const Layer& layer) {
  const auto blob = store_.blob_path(layer.blob.digest);
  struct stat st {};
  if (::stat(blob.c_str(), &st) < 0) {
    find("missing-blob", blob.string(), "image " + image.id + " needs it");
  } else if (static_cast<uint64_t>(st.st_size) != layer.blob.size) {
    find("damaged-blob", blob.string(),
         std::to_string(st.st_size) + " bytes instead of " + std::to_string(layer.blob.size));
  }
  if (::stat(layer.tree.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) {
    layers_.emplace(blob, layer);
    return;
  }
  std::string detail = "image " + image.id + " needs it";
  bool restored = false;
  if (workspace_ != nullptr) {
    const auto result = restore_layer(layer);
    restored = result.has_value();
    detail = restored ? "unpacked again" : result.error().what;
  }
  find("missing-layer", layer.tree.string(), detail, restored);
}

Result<void> Checker::restore_layer(const Layer& layer) {
  const LayerInput input{.what = "layer " + layer.diff_id, .report = report_};
  const auto tree = workspace_->fresh_path();
  STRATA_CHECK(unpack_blob(store_.blob_path(layer.blob.digest), tree, layer.diff_id, input));
  STRATA_CHECK(workspace_->sync());
  STRATA_CHECK(workspace_->take(layer.tree));  // whatever stands there is no layer
  if (::rename(tree.c_str(), layer.tree.c_str()) < 0)
    return fail_errno("rename " + tree.string() + " to " + layer.tree.string());
  return fsync_dir(store_.layers_dir());
}

Result<void> Checker::check_unreachable() {
  STRATA_TRY(const Objects present, present_objects(store_));
  const Objects refuse = present.without(reachable_);
  for (const auto& path : refuse.blobs)
    find("unreachable-blob", path.string(), "no image needs it", remove_refuse(path));
  for (const auto& path : refuse.layers)
    find("unreachable-layer", path.string(), "no image needs it", remove_refuse(path));
  return {};
}

Result<void> Checker::check_containers() {
  STRATA_TRY(const auto in_use, images_in_use(store_));
  for (const auto& [id, containers] : in_use) {
    if (image_ids_.contains(id)) continue;
    for (const auto& container : containers)
      find("missing-image", container, "the container is made from image " + id);
  }
  return {};
}

Result<void> Checker::check_structure(Workspace* workspace) {
  workspace_ = workspace;
  check_version();
  STRATA_CHECK(check_index());
  if (index_is_whole_) {
    STRATA_CHECK(check_unreachable());
    STRATA_CHECK(check_containers());
  }
  STRATA_TRY(const auto stale, stale_index_files(store_));
  for (const auto& path : stale)
    find("leftover", path.string(), "a writer was cut off", remove_refuse(path));
  STRATA_TRY(const auto dead, dead_workspaces(store_));
  for (const auto& path : dead)
    find("leftover", path.string(), "its owner is gone", remove_refuse(path));
  return {};
}

Result<void> Checker::check_blobs() {
  size_t number = 0;
  for (const auto& path : reachable_.blobs) {
    ++number;
    STRATA_CHECK(check_blob(path, "checking blob " + std::to_string(number) + " of " +
                                      std::to_string(reachable_.blobs.size())));
  }
  return {};
}

Result<void> Checker::check_blob(const Path& path, const std::string& what) {
  const auto fd = open_file(path, O_RDONLY);
  if (!fd) return {};  // missing: said above, or removed since
  FdSource file(fd->get(), path.string());
  WatchedSource watched(file, what, report_);
  DigestSource digest(watched);
  Result<void> unpacked;
  if (const auto layer = layers_.find(path); layer != layers_.end())
    unpacked = check_blob_and_tree(digest, layer->second);
  NullSink nowhere;
  auto read = copy_stream(digest, nowhere);  // what is left of it
  for (const Error* error :
       {unpacked ? nullptr : &unpacked.error(), read ? nullptr : &read.error()})
    if (error != nullptr && error->code == EINTR) return std::unexpected(*error);
  if (!read) {
    find("damaged-blob", path.string(), read.error().what);
    return {};
  }
  const std::string found = digest.digest();
  if (digest_hex(found) != path.filename().string()) {
    find("damaged-blob", path.string(), "its content has the digest " + found);
  } else if (!unpacked) {
    find("damaged-blob", path.string(), unpacked.error().what);
  }
  return {};
}

// An Error is about the blob.
Result<void> Checker::check_blob_and_tree(ByteSource& blob, const Layer& layer) {
  STRATA_TRY(const auto tar, decompress(blob, Accept::kLayer));
  STRATA_TRY(std::string fault, tree_fault(*tar, layer.tree));
  if (fault.empty()) return {};
  bad_trees_.push_back({findings_.size(), layer});
  find("damaged-layer", layer.tree.string(), std::move(fault));
  return {};
}

void Checker::restore_trees() {
  for (const auto& bad : bad_trees_) {
    Finding& finding = findings_[bad.finding];
    const auto restored = restore_layer(bad.layer);
    finding.repaired = restored.has_value();
    finding.detail += restored ? "; unpacked again" : "; " + restored.error().what;
  }
}

}  // namespace

Result<std::vector<Finding>> check_store(const Store& store, bool repair, const Report& report) {
  // Declared first, so that the lock is gone when the workspace deletes what it took.
  std::optional<Workspace> workspace;
  Checker checker(store, report);
  {
    STRATA_TRY(const StoreLock lock, store.lock_exclusive());
    if (repair) {
      STRATA_TRY(Workspace made, Workspace::create(store, lock));
      workspace.emplace(std::move(made));
    }
    STRATA_CHECK(checker.check_structure(workspace ? &*workspace : nullptr));
  }
  {
    STRATA_TRY(const StoreLock lock, store.lock_shared());
    STRATA_CHECK(checker.check_blobs());
  }
  if (repair) {
    STRATA_TRY(const StoreLock lock, store.lock_exclusive());
    checker.restore_trees();
  }
  return checker.take_findings();
}

}  // namespace strata::image
