#include "unionfs/erofs/tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "unionfs/erofs/format.h"

namespace strata::unionfs::erofs {
namespace {

using index::Record;

class Collector {
 public:
  explicit Collector(const index::Index& index) : index_(index) {
    tree_.inodes.reserve(index.entries());
    tree_.names.reserve(index.entries());
  }

  Result<Tree> run() {
    tree_.inodes.push_back({.record = index_.root(), .links = 2});
    for (uint32_t i = 0; i < tree_.inodes.size(); ++i) {
      if (S_ISDIR(tree_.inodes[i].record->mode)) STRATA_CHECK(enter(i));
    }
    return std::move(tree_);
  }

 private:
  Result<void> enter(uint32_t directory) {
    std::vector<const Record*> children = index_.children(*tree_.inodes[directory].record);
    // A file is reached once for each of its names; more means that the index leads in circles.
    if (tree_.names.size() + children.size() >= index_.entries())
      return fail(EBADMSG, "the index holds more names than it says");
    std::ranges::sort(children, {}, [](const Record* record) { return name_of(*record); });
    tree_.inodes[directory].first_name = static_cast<uint32_t>(tree_.names.size());
    tree_.inodes[directory].name_count = static_cast<uint32_t>(children.size());
    for (const Record* child : children) {
      const std::string_view name = name_of(*child);
      if (name.empty() || name.size() > kMaxName)
        return fail(EBADMSG, "the index has a name that is too long or empty");
      tree_.names.push_back({name, inode_of(*child, directory)});
    }
    return {};
  }

  uint32_t inode_of(const Record& record, uint32_t parent) {
    const auto number = static_cast<uint32_t>(tree_.inodes.size());
    if (S_ISDIR(record.mode)) {
      ++tree_.inodes[parent].links;
      tree_.inodes.push_back({.record = &record, .links = 2, .parent = parent});
      return number;
    }
    if (record.links > 1) {
      const auto [known, is_new] = linked_.try_emplace({record.layer, record.inode}, number);
      if (!is_new) {
        ++tree_.inodes[known->second].links;
        return known->second;
      }
    }
    tree_.inodes.push_back({.record = &record});
    return number;
  }

  struct Identity {
    uint32_t layer;
    uint64_t inode;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct Hash {
    size_t operator()(const Identity& id) const {
      return std::hash<uint64_t>()(id.inode) ^ id.layer;
    }
  };

  const index::Index& index_;
  Tree tree_;
  std::unordered_map<Identity, uint32_t, Hash> linked_;
};

}  // namespace

Result<Tree> collect_tree(const index::Index& index) {
  return Collector(index).run();
}

std::vector<Name> directory_names(const Tree& tree, uint32_t directory) {
  const TreeInode& inode = tree.inodes[directory];
  const auto begin = tree.names.begin() + inode.first_name;
  std::vector<Name> names(begin, begin + inode.name_count);
  for (const Name& dots : {Name{".", directory}, Name{"..", inode.parent}}) {
    names.insert(std::ranges::lower_bound(names, dots.text, {}, &Name::text), dots);
  }
  return names;
}

}  // namespace strata::unionfs::erofs
