// The union's name space: from paths to what stands there.
//
// Thread rule: as Union's.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/engine/hard_links.h"
#include "unionfs/engine/origins.h"
#include "unionfs/engine/work_dir.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_entry.h"
#include "unionfs/layer_stack.h"
#include "unionfs/union.h"

namespace strata::unionfs::engine {

using index::Record;

// A name in the union, and what the layers have there.
struct Node {
  std::string path;  // from the root, which is ""; the same in the union and in the upper layer

  // The upper layer's file; nullopt: it has none there (or a whiteout).
  std::optional<LayerEntry> upper;
  bool is_whiteout = false;

  // Directories: what the upper one is merged with. Other files: the file, if the upper layer has
  // none; what it is a metacopy of, if the upper one is such.
  const Record* lower = nullptr;
  std::string lower_path;  // of a directory's lower part, in the merged tree of the layers below

  // What the layers below have under this name, whether it shows or not: what a whiteout must hide.
  const Record* below = nullptr;

  [[nodiscard]] bool exists() const { return upper || lower != nullptr; }

  // REQUIRES: exists().
  [[nodiscard]] mode_t mode() const { return upper ? upper->status.st_mode : lower->mode; }
  [[nodiscard]] uid_t owner() const { return upper ? upper->status.st_uid : lower->uid; }
  [[nodiscard]] bool is_directory() const { return exists() && S_ISDIR(mode()); }
  [[nodiscard]] bool is_merged() const { return is_directory() && upper && lower != nullptr; }

  [[nodiscard]] std::string_view name() const { return split_path(path).name; }
};

// Where a path led: the directories on the way, the root first, and what stands at its end.
struct Place {
  std::vector<Node> directories;  // empty: `node` is the root
  Node node;
  bool must_be_directory = false;  // the path ended in a name with a slash behind it

  [[nodiscard]] Node& parent() { return directories.back(); }
  [[nodiscard]] const Node& parent() const { return directories.back(); }
};

// What becomes of a symbolic link at the end of a path.
enum class LastLink {
  kFollow,
  kFollowIfSlash,      // lstat(2) and its kin: only with a slash behind it
  kFollowUnlessSlash,  // open(2) with O_CREAT, which refuses a slash before it looks
  kKeep,               // calls that make, move or take away a name (LOOKUP_PARENT)
};

[[nodiscard]] constexpr LastLink last_link(Follow follow) {
  return follow == Follow::kYes ? LastLink::kFollow : LastLink::kFollowIfSlash;
}

// What tells files apart on a machine.
struct FileId {
  dev_t device;
  ino_t inode;
};

class Tree {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Tree>> open(LayerStack stack, index::Index index,
                                                          const std::optional<Upper>& upper,
                                                          const UnionOptions& options);

  // Where `path` leads. A last component that isn't there is no error: node.exists() tells.
  [[nodiscard]] Result<Place> walk(std::string_view path, LastLink last) const;

  // The same, but it must be there (ENOENT), and a directory if the path says so (ENOTDIR).
  [[nodiscard]] Result<Place> find(std::string_view path, LastLink last) const;

  // The root, as a directory to walk down from.
  [[nodiscard]] Result<Node> root() const;

  // `name` in `directory`. ENAMETOOLONG.
  [[nodiscard]] Result<Node> child(const Node& directory, std::string_view name) const;

  // The file `entry` that the upper layer has in `directory`. ESTALE for a metacopy of nothing.
  [[nodiscard]] Result<Node> upper_child(const Node& directory, LayerEntry entry) const;

  // The lower file whose number a copy in the upper layer, or a merged directory, goes by
  // (fs/overlayfs/inode.c: ovl_getattr); nullopt: its own.
  [[nodiscard]] std::optional<FileId> origin_of(const Node& node) const;

  // All that shows in `directory`.
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const Node& directory) const;

  // The real file behind `node` opened with `flags` (O_NOFOLLOW is added). A metacopy's content is
  // not looked for. REQUIRES: node.exists().
  [[nodiscard]] Result<UniqueFd> open_real(const Node& node, int flags) const;
  [[nodiscard]] Result<UniqueFd> open_lower(const Record& record, int flags) const;

  // The Record with the content of `file`: another one if that is a metacopy.
  [[nodiscard]] const Record& content_of(const Record& file) const;

  // The root directory of the layer that `record` is in.
  [[nodiscard]] int layer_of(const Record& record) const;

  // The upper layer's directory at `path`, by O_PATH.
  [[nodiscard]] Result<UniqueFd> open_upper_directory(std::string_view path) const;

  // Which names share a lower file. Found by a walk over the index when first asked for.
  [[nodiscard]] const LinkGroups& link_groups();

  [[nodiscard]] bool has_upper() const { return upper_.valid(); }
  [[nodiscard]] bool is_writable() const { return work_.has_value(); }
  [[nodiscard]] int upper_fd() const { return upper_.get(); }
  [[nodiscard]] WorkDir& work() { return *work_; }
  [[nodiscard]] const Origins& origins() const { return origins_; }
  [[nodiscard]] const index::Index& index() const { return index_; }
  [[nodiscard]] const LayerStack& stack() const { return stack_; }
  [[nodiscard]] const UnionOptions& options() const { return options_; }
  [[nodiscard]] const OverlayXattrs& names() const { return *options_.names; }

 private:
  Tree(LayerStack stack, index::Index index, const UnionOptions& options)
      : stack_(std::move(stack)), index_(std::move(index)), options_(options) {}

  LayerStack stack_;
  index::Index index_;
  UnionOptions options_;
  UniqueFd upper_;
  Origins origins_;
  std::optional<WorkDir> work_;
  std::optional<LinkGroups> link_groups_;
};

// What a path ends in: only names can be made, moved and removed (include/linux/namei.h,
// LAST_NORM).
enum class Ending { kName, kDot, kDotDot, kRoot };
[[nodiscard]] Ending ending_of(std::string_view path);

}  // namespace strata::unionfs::engine
