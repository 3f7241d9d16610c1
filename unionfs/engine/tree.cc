#include "unionfs/engine/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <memory>
#include <unordered_set>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/files/list_names.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/index/merge.h"
#include "unionfs/sys/openat2.h"

namespace strata::unionfs::engine {
namespace {

constexpr int kMaxLinks = 40;  // include/linux/namei.h: MAXSYMLINKS

// Where the lower part of the upper directory `entry` lies.
std::string lower_path_of(const LayerEntry& entry, const Node& parent) {
  if (!entry.redirect) return join_path(parent.lower_path, entry.name);
  if (entry.redirect->starts_with('/')) return entry.redirect->substr(1);
  return join_path(parent.lower_path, *entry.redirect);
}

unsigned char type_of(mode_t mode) {
  return static_cast<unsigned char>(IFTODT(mode));
}

// Whether a link at the end of a path is followed, where `slashes` stand behind it.
bool follows(LastLink last, std::string_view slashes) {
  switch (last) {
    case LastLink::kFollow:
      return true;
    case LastLink::kFollowIfSlash:
      return !slashes.empty();
    case LastLink::kFollowUnlessSlash:
      return slashes.empty();
    case LastLink::kKeep:
      return false;
  }
  return false;
}

bool has_component(std::string_view path) {
  return path.find_first_not_of('/') != std::string::npos;
}

}  // namespace

Ending ending_of(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::string_view last = split_path(path).name;
  if (last.empty()) return Ending::kRoot;
  if (last == ".") return Ending::kDot;
  return last == ".." ? Ending::kDotDot : Ending::kName;
}

Result<std::unique_ptr<Tree>> Tree::open(LayerStack stack, index::Index index,
                                         const std::optional<Upper>& upper,
                                         const UnionOptions& options) {
  if (index.size() != stack.size())
    return fail(EINVAL, "the index is that of another stack of layers");
  std::unique_ptr<Tree> tree(new Tree(std::move(stack), std::move(index), options));
  if (!upper) return tree;
  STRATA_TRY(tree->upper_, open_file(upper->upper, O_RDONLY | O_DIRECTORY));
  STRATA_TRY(tree->origins_, Origins::of(tree->stack_, tree->upper_.get()));
  if (upper->work.empty()) return tree;
  STRATA_TRY(tree->work_, WorkDir::open(upper->work));
  struct stat upper_status {};
  struct stat work_status {};
  if (::fstat(tree->upper_.get(), &upper_status) < 0 ||
      ::fstat(tree->work_->fd(), &work_status) < 0)
    return fail_errno("stat the upper layer");
  if (upper_status.st_dev != work_status.st_dev)
    return fail(EXDEV, "the work directory " + upper->work.string() +
                           " is on another file system than the upper layer " +
                           upper->upper.string());
  return tree;
}

Result<Node> Tree::root() const {
  Node node;
  node.lower = index_.root();
  if (has_upper()) {
    STRATA_TRY(node.upper, read_layer_root(upper_.get(), names()));
  }
  return node;
}

Result<Node> Tree::child(const Node& directory, std::string_view name) const {
  if (name.size() > NAME_MAX) return fail_errno(name, ENAMETOOLONG);
  if (directory.upper) {
    STRATA_TRY(const UniqueFd fd, open_upper_directory(directory.path));
    auto entry = read_layer_entry(fd.get(), std::string(name),
                                  directory.upper->holds_xattr_whiteouts, names());
    if (entry) return upper_child(directory, *std::move(entry));
    if (entry.error().code != ENOENT) return std::unexpected(std::move(entry).error());
  }
  Node node;
  node.path = join_path(directory.path, name);
  if (directory.lower != nullptr) node.below = index_.child(*directory.lower, name);
  node.lower = node.below;
  node.lower_path = join_path(directory.lower_path, name);
  return node;
}

Result<Node> Tree::upper_child(const Node& directory, LayerEntry entry) const {
  Node node;
  node.path = join_path(directory.path, entry.name);
  if (directory.lower != nullptr) node.below = index_.child(*directory.lower, entry.name);
  if (entry.is_whiteout) {
    node.is_whiteout = true;
    return node;
  }
  if (S_ISDIR(entry.status.st_mode)) {
    node.lower = index::lower_directory(index_, entry, directory.lower, node.below);
    if (node.lower != nullptr) node.lower_path = lower_path_of(entry, directory);
  } else if (entry.is_metacopy) {
    STRATA_TRY(node.lower, index::lower_file(index_, entry, directory.lower, node.below));
  }
  node.upper = std::move(entry);
  return node;
}

Result<Place> Tree::walk(std::string_view path, LastLink last) const {
  if (path.empty()) return fail_errno("an empty path", ENOENT);
  if (path.size() >= PATH_MAX) return fail_errno(path, ENAMETOOLONG);
  std::string rest(path);
  Place place;
  STRATA_TRY(place.node, root());
  for (int links = 0; has_component(rest);) {
    std::string_view behind = rest;
    const std::string name(take_component(behind));
    rest.erase(0, rest.size() - behind.size());
    if (!place.node.exists()) return fail_errno(path, ENOENT);
    if (!place.node.is_directory()) return fail_errno(path, ENOTDIR);
    place.must_be_directory = false;
    if (name == ".") continue;
    if (name == "..") {
      if (place.directories.empty()) continue;
      place.node = std::move(place.directories.back());
      place.directories.pop_back();
      continue;
    }
    STRATA_TRY(Node next, child(place.node, name));
    if (next.exists() && S_ISLNK(next.mode()) && (has_component(rest) || follows(last, rest))) {
      if (++links > kMaxLinks) return fail_errno(path, ELOOP);
      std::string target =
          next.upper ? next.upper->target : std::string(index::target_of(*next.lower));
      if (target.starts_with('/') && !place.directories.empty()) {
        place.node = std::move(place.directories.front());
        place.directories.clear();
      }
      rest.insert(0, target);
      continue;
    }
    place.directories.push_back(std::move(place.node));
    place.node = std::move(next);
    place.must_be_directory = !rest.empty();
  }
  return place;
}

Result<Place> Tree::find(std::string_view path, LastLink last) const {
  STRATA_TRY(Place place, walk(path, last));
  if (!place.node.exists()) return fail_errno(path, ENOENT);
  if (place.must_be_directory && !place.node.is_directory()) return fail_errno(path, ENOTDIR);
  return place;
}

const LinkGroups& Tree::link_groups() {
  if (!link_groups_) link_groups_ = LinkGroups::of(index_);
  return *link_groups_;
}

Result<std::vector<DirectoryEntry>> Tree::list(const Node& directory) const {
  std::vector<DirectoryEntry> entries;
  std::unordered_set<std::string> seen;
  if (directory.upper) {
    STRATA_TRY(const UniqueFd fd, open_upper_directory(directory.path));
    STRATA_TRY(std::vector<std::string> names, list_names(fd.get()));
    for (std::string& name : names) {
      STRATA_TRY(LayerEntry entry,
                 read_layer_entry(fd.get(), name, directory.upper->holds_xattr_whiteouts,
                                  *options_.names));
      if (directory.lower != nullptr) seen.insert(name);
      if (entry.is_whiteout) continue;
      const struct stat status = entry.status;
      const auto node = upper_child(directory, std::move(entry));
      const auto origin = node ? origin_of(*node) : std::nullopt;
      entries.push_back(
          {std::move(name), origin ? origin->inode : status.st_ino, type_of(status.st_mode)});
    }
  }
  if (directory.lower == nullptr) return entries;
  for (const Record* record : index_.children(*directory.lower)) {
    std::string name(index::name_of(*record));
    if (!seen.contains(name))
      entries.push_back({std::move(name), record->inode, type_of(record->mode)});
  }
  return entries;
}

Result<UniqueFd> Tree::open_upper_directory(std::string_view path) const {
  const std::string name(path.empty() ? "." : path);
  UniqueFd fd = sys::open_beneath(upper_.get(), name.c_str(), O_PATH | O_DIRECTORY);
  if (!fd) return fail_errno("open directory " + name + " of the upper layer");
  return fd;
}

std::optional<FileId> Tree::origin_of(const Node& node) const {
  if (!node.upper || node.path.empty()) return std::nullopt;
  const struct stat& upper = node.upper->status;
  if (node.lower != nullptr) {
    // The names of a hard-linked file part when they are copied up.
    if (!S_ISDIR(upper.st_mode) && node.lower->links != 1) return std::nullopt;
    struct stat layer {};
    if (::fstat(layer_of(*node.lower), &layer) < 0) return std::nullopt;
    return FileId{layer.st_dev, node.lower->inode};
  }
  if (S_ISDIR(upper.st_mode)) return std::nullopt;
  const auto origin = origins_.find(node.upper->origin);
  if (!origin || origin->st_nlink != 1 || (origin->st_mode & S_IFMT) != (upper.st_mode & S_IFMT))
    return std::nullopt;
  return FileId{origin->st_dev, origin->st_ino};
}

const Record& Tree::content_of(const Record& file) const {
  const Record* content = file.data ? index_.record(file.data) : nullptr;
  return content == nullptr ? file : *content;
}

int Tree::layer_of(const Record& record) const {
  return stack_.fd(stack_.size() - 1 - record.layer);
}

Result<UniqueFd> Tree::open_lower(const Record& record, int flags) const {
  const int layer = layer_of(record);
  const std::string path = index::path_in_layer(record);
  UniqueFd fd = sys::open_beneath(layer, path.empty() ? "." : path.c_str(), flags | O_NOFOLLOW);
  if (!fd) return fail_errno("open " + path + " in a layer");
  return fd;
}

Result<UniqueFd> Tree::open_real(const Node& node, int flags) const {
  if (!node.upper) return open_lower(*node.lower, flags);
  UniqueFd fd = sys::open_beneath(upper_.get(), node.path.empty() ? "." : node.path.c_str(),
                                  flags | O_NOFOLLOW);
  if (!fd) return fail_errno("open " + node.path + " in the upper layer");
  return fd;
}

}  // namespace strata::unionfs::engine
