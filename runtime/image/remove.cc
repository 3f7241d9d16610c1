#include <algorithm>
#include <optional>

#include "runtime/image/layout.h"
#include "runtime/image/maintain.h"
#include "runtime/image/reachability.h"
#include "runtime/image/reference.h"
#include "runtime/image/workspace.h"

namespace strata::image {
namespace {

// The entry behind a name, or nullptr if `reference` is no name that the index has.
const IndexEntry* named_entry(const Index& index, std::string_view reference, std::string& name) {
  const auto parsed = parse_reference(reference);
  if (!parsed) return nullptr;
  name = parsed->str();
  const auto it = std::find_if(index.begin(), index.end(),
                               [&](const IndexEntry& e) { return e.annotation(kRefName) == name; });
  return it != index.end() ? &*it : nullptr;
}

// What remove_image() is about.
struct Target {
  std::string manifest;            // digest
  std::string id;                  // of the image
  std::vector<std::string> names;  // all that it has
  std::string name;                // the one that was asked for; empty: the ID was
};

Result<Target> find_target(const Store& store, const Index& index, const std::string& reference) {
  std::string name;
  if (const IndexEntry* entry = named_entry(index, reference, name)) {
    STRATA_TRY(std::string id, image_id_of(store, *entry));
    return Target{entry->target.digest, std::move(id), names_of(index, entry->target.digest), name};
  }
  STRATA_TRY(const Image image, store.get(reference));
  return Target{image.manifest.digest, image.id, image.names, ""};
}

// Whether another manifest of the index has the same configuration: then a container that needs
// the image keeps it.
bool has_twin(const Store& store, const Index& index, const Target& target) {
  return std::any_of(index.begin(), index.end(), [&](const IndexEntry& e) {
    return e.target.digest != target.manifest && image_id_of(store, e).value_or("") == target.id;
  });
}

Error busy(const Target& target, const std::vector<std::string>& containers) {
  return {
      EBUSY,
      "image " + (target.name.empty() ? target.id : target.name) + " is used by container " +
          containers.front() +
          (containers.size() > 1 ? " and " + std::to_string(containers.size() - 1) + " more" : "") +
          "; remove it first ('strata rm'), or use -f to take only the name away"};
}

Error ambiguous(const Target& target) {
  std::string list;
  for (const auto& name : target.names) list += (list.empty() ? "" : ", ") + name;
  return {EBUSY, "image " + target.id + " has several names: " + list +
                     "; remove them by name, or use -f to remove all"};
}

Result<void> untag(const Store& store, const std::vector<std::string>& names, Removal& removal) {
  STRATA_CHECK(update_index(store, [&](Index& index) -> Result<void> {
    for (const auto& name : names)
      if (drop_name(index, name)) removal.untagged.push_back(name);
    return {};
  }));
  return {};
}

// Takes the image out of the index and what only it reached out of its place.
Result<void> remove_whole(const Store& store, const Index& index, const Target& target,
                          Workspace& workspace, Removal& removal) {
  Objects gone;
  for (const auto& entry : index) {
    if (entry.target.digest != target.manifest) continue;
    // What a damaged image reaches is not known: prune finds it once the image is gone.
    if (const auto image = read_image(store, index, entry)) gone = objects_of(store, *image);
    break;
  }
  STRATA_CHECK(update_index(store, [&](Index& current) -> Result<void> {
    remove_manifest(current, target.manifest);
    return {};
  }));
  removal.untagged = target.names;
  removal.removed.push_back(target.id);
  STRATA_TRY(const Index rest, read_index(store));
  const auto kept = reachable_objects(store, rest);
  if (!kept) return {};  // another image is damaged: nothing is thrown away on a guess
  const Objects unreached = gone.without(*kept);
  for (const auto* paths : {&unreached.blobs, &unreached.layers}) {
    for (const auto& path : *paths) STRATA_CHECK(workspace.take(path));
  }
  // What was made of stacks with these layers goes, the rest is made again.
  if (!unreached.layers.empty()) STRATA_CHECK(workspace.take(store.union_dir()));
  return {};
}

Result<Removal> remove_locked(const Store& store, const StoreLock& lock,
                              const std::string& reference, bool force,
                              std::optional<Workspace>& workspace) {
  STRATA_TRY(const Index index, read_index(store));
  STRATA_TRY(const Target target, find_target(store, index, reference));
  Removal removal;
  if (!target.name.empty() && target.names.size() > 1) {
    STRATA_CHECK(untag(store, {target.name}, removal));
    return removal;
  }
  if (target.names.size() > 1 && !force) return std::unexpected(ambiguous(target));
  STRATA_TRY(const auto in_use, images_in_use(store));
  if (const auto users = in_use.find(target.id);
      users != in_use.end() && !has_twin(store, index, target)) {
    if (!force) return std::unexpected(busy(target, users->second));
    STRATA_CHECK(untag(store, target.names, removal));
    return removal;
  }
  STRATA_TRY(Workspace made, Workspace::create(store, lock));
  workspace.emplace(std::move(made));
  STRATA_CHECK(remove_whole(store, index, target, *workspace, removal));
  return removal;
}

}  // namespace

Result<std::string> tag_image(const Store& store, std::string_view source,
                              const std::string& name) {
  STRATA_TRY(const Reference reference, parse_new_name(name));
  STRATA_TRY(const StoreLock lock, store.lock_shared());
  STRATA_TRY(const Image image, store.get(source));
  STRATA_CHECK(update_index(store, [&](Index& index) -> Result<void> {
    const auto it = std::find_if(index.begin(), index.end(), [&](const IndexEntry& e) {
      return e.target.digest == image.manifest.digest;
    });
    if (it == index.end()) return fail(ENOENT, "image " + image.id + " was removed meanwhile");
    set_name(index, IndexEntry(*it), reference.str());  // a copy: the index changes under it
    return {};
  }));
  return reference.str();
}

Result<Removal> remove_image(const Store& store, const std::string& reference, bool force) {
  // Outlives the lock, so that nobody waits while it deletes what it took.
  std::optional<Workspace> workspace;
  Removal removal;
  {
    STRATA_TRY(const StoreLock lock, store.lock_exclusive());
    STRATA_TRY(removal, remove_locked(store, lock, reference, force, workspace));
  }
  if (workspace) removal.bytes = workspace->bytes();
  return removal;
}

}  // namespace strata::image
