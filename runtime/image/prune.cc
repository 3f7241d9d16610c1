#include <optional>

#include "runtime/image/layout.h"
#include "runtime/image/maintain.h"
#include "runtime/image/reachability.h"
#include "runtime/image/workspace.h"

namespace strata::image {
namespace {

// Takes images out of the index that have neither a name nor a container.
Result<std::vector<std::string>> drop_dangling(const Store& store) {
  STRATA_TRY(const auto in_use, images_in_use(store));
  STRATA_TRY(const Index index, read_index(store));
  std::vector<std::string> ids;
  std::vector<std::string> manifests;
  for (const auto& entry : index) {
    if (!entry.annotation(kRefName).empty()) continue;
    // An image whose ID nobody can tell is damaged, and fsck's business.
    const auto id = image_id_of(store, entry);
    if (!id || in_use.contains(*id)) continue;
    ids.push_back(*id);
    manifests.push_back(entry.target.digest);
  }
  if (manifests.empty()) return ids;
  STRATA_CHECK(update_index(store, [&](Index& current) -> Result<void> {
    for (const auto& manifest : manifests) remove_manifest(current, manifest);
    return {};
  }));
  return ids;
}

Result<PruneReport> prune_locked(const Store& store, const StoreLock& lock,
                                 std::optional<Workspace>& workspace) {
  PruneReport report;
  // Before our own workspace stands among them.
  STRATA_TRY(const auto dead, dead_workspaces(store));
  STRATA_TRY(Workspace made, Workspace::create(store, lock));
  workspace.emplace(std::move(made));

  STRATA_TRY(report.images, drop_dangling(store));
  STRATA_TRY(const Index index, read_index(store));
  STRATA_TRY(const Objects reachable, reachable_objects(store, index));
  STRATA_TRY(const Objects present, present_objects(store));
  const Objects refuse = present.without(reachable);
  for (const auto& blob : refuse.blobs) STRATA_CHECK(workspace->take(blob));
  for (const auto& layer : refuse.layers) STRATA_CHECK(workspace->take(layer));
  // What was made of stacks with these layers goes, the rest is made again.
  if (!refuse.layers.empty()) STRATA_CHECK(workspace->take(store.union_dir()));
  STRATA_TRY(const auto stale, stale_index_files(store));
  for (const auto& path : stale) STRATA_CHECK(workspace->take(path));
  for (const auto& path : dead) STRATA_CHECK(workspace->take(path));
  report.blobs = refuse.blobs.size();
  report.layers = refuse.layers.size();
  report.leftovers = stale.size() + dead.size();
  return report;
}

}  // namespace

Result<PruneReport> prune_images(const Store& store) {
  // Outlives the lock, so that nobody waits while it deletes what it took.
  std::optional<Workspace> workspace;
  PruneReport report;
  {
    STRATA_TRY(const StoreLock lock, store.lock_exclusive());
    STRATA_TRY(report, prune_locked(store, lock, workspace));
  }
  report.bytes = workspace->bytes();
  return report;
}

}  // namespace strata::image
