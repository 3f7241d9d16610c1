#include "unionfs/engine/upper.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>

#include "unionfs/engine/change.h"
#include "unionfs/engine/copy_up.h"
#include "unionfs/files/list_names.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/files/tree_path.h"

namespace strata::unionfs::engine {
namespace {

// Whether the upper layer's directory continues the one that stands below under its own name.
bool continues_below(const Node& directory) {
  return directory.upper && directory.lower != nullptr && directory.lower == directory.below;
}

class ChangeList {
 public:
  explicit ChangeList(const Tree& tree) : tree_(tree) {}

  Result<std::vector<Change>> run() {
    STRATA_TRY(Node root, tree_.root());
    root.below = root.lower;
    if (root.upper) STRATA_CHECK(compare(root));
    std::ranges::sort(list_, {}, &Change::path);
    return std::move(list_);
  }

 private:
  void add(ChangeKind kind, const std::string& path) { list_.push_back({kind, "/" + path}); }

  // `directory` stands in the upper layer and continues the one below.
  Result<void> compare(const Node& directory) {
    STRATA_TRY(const UniqueFd fd, tree_.open_upper_directory(directory.path));
    STRATA_TRY(const std::vector<std::string> names, list_names(fd.get()));
    for (const std::string& name : names) {
      STRATA_TRY(const Node node, tree_.child(directory, name));
      if (!node.exists()) {
        if (node.below != nullptr) add(ChangeKind::kDeleted, node.path);
        continue;
      }
      add(node.below == nullptr ? ChangeKind::kAdded : ChangeKind::kChanged, node.path);
      if (node.is_directory()) STRATA_CHECK(compare_directory(node));
    }
    return {};
  }

  Result<void> compare_directory(const Node& node) {
    if (continues_below(node)) return compare(node);
    // It replaces what is below: that is gone, as far as it has no successor of its name.
    STRATA_TRY(const std::vector<DirectoryEntry> entries, tree_.list(node));
    std::unordered_set<std::string> shown;
    for (const DirectoryEntry& entry : entries) {
      shown.insert(entry.name);
      STRATA_TRY(Node child, tree_.child(node, entry.name));
      child.below = hidden(node, entry.name);
      add(child.below == nullptr ? ChangeKind::kAdded : ChangeKind::kChanged, child.path);
      if (child.is_directory()) STRATA_CHECK(compare_directory(child));
    }
    if (node.below == nullptr || !S_ISDIR(node.below->mode)) return {};
    for (const Record* old : tree_.index().children(*node.below)) {
      const std::string name(index::name_of(*old));
      if (!shown.contains(name)) add(ChangeKind::kDeleted, join_path(node.path, name));
    }
    return {};
  }

  // What stands below under `name` in the directory that `directory` replaces.
  const Record* hidden(const Node& directory, std::string_view name) const {
    if (directory.below == nullptr) return nullptr;
    return tree_.index().child(*directory.below, name);
  }

  const Tree& tree_;
  std::vector<Change> list_;
};

// Copies up everything below `place`, which is a directory of the upper layer.
Result<void> copy_up_all(Tree& tree, const std::string& path) {
  STRATA_TRY(const Place place, tree.find("/" + path, LastLink::kKeep));
  STRATA_TRY(const std::vector<DirectoryEntry> entries, tree.list(place.node));
  for (const DirectoryEntry& entry : entries) {
    const std::string child_path = join_path(path, entry.name);
    STRATA_TRY(Place child, tree.find("/" + child_path, LastLink::kKeep));
    STRATA_CHECK(copy_up(tree, child));
    if (child.node.is_directory()) STRATA_CHECK(copy_up_all(tree, child_path));
  }
  return {};
}

Result<void> complete_directory(Tree& tree, const std::string& path) {
  STRATA_TRY(const Place place, tree.find("/" + path, LastLink::kKeep));
  STRATA_TRY(const UniqueFd fd, tree.open_upper_directory(path));
  STRATA_TRY(const std::vector<std::string> names, list_names(fd.get()));
  for (const std::string& name : names) {
    const std::string child_path = join_path(path, name);
    STRATA_TRY(Place child, tree.walk("/" + child_path, LastLink::kKeep));
    if (!child.node.exists()) continue;
    if (!child.node.is_directory()) {
      STRATA_CHECK(copy_up(tree, child));  // gives a metacopy its content
      continue;
    }
    if (child.node.upper->redirect) {
      STRATA_CHECK(copy_up_all(tree, child_path));
      // Opaque first: together they still mean the same.
      Node& node = child.node;
      STRATA_CHECK(set_opaque(tree, node));
      STRATA_TRY(const UniqueFd directory, tree.open_upper_directory(child_path));
      if (::removexattr(proc_path(directory.get()).c_str(), tree.names().redirect) < 0)
        return fail_errno("remove the redirect of /" + child_path);
    }
    STRATA_CHECK(complete_directory(tree, child_path));
  }
  return {};
}

}  // namespace

Result<std::vector<Change>> changes(const Tree& tree) {
  return ChangeList(tree).run();
}

Result<void> complete_upper(Tree& tree) {
  if (!tree.is_writable()) return fail(EROFS, "there is no upper layer");
  return complete_directory(tree, "");
}

}  // namespace strata::unionfs::engine
