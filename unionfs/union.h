// A union file system in user space: read-only layers, an optional upper layer that takes all
// changes, and the operations of a file system on what they give together. No mount, no FUSE: names
// are looked up in the index, contents are the real files' descriptors.
//
// Results, errno values and what is left in the upper layer are those of the kernel's overlayfs
// (mounted with index=off, redirect_dir as UnionOptions says), which can mount the same directories
// before and after; FORMAT.md lists the deviations. Where behaviour follows the kernel,
// fs/overlayfs says why.
//
// Paths are absolute in the union; a leading slash may be left out. Symbolic links on the way are
// followed in the union's own name space, never the host's. The caller is root: permissions are not
// checked. Modes of new files go through the umask of the process.
//
// Crash safety: every change is staged in the work directory and put in place by one rename(2), so
// after a kill or a failed call the union is as before it or as after it. What was staged is
// removed when the union is opened next. Without UnionOptions::is_volatile copied files are synced
// before they get their place.
//
// Errors carry the errno that the system call of the same name would have given.
//
// Thread rule: operations that are const may run at the same time where there is no upper layer;
// else one user at a time, and no other changes to the upper layer while the union is open (as for
// overlayfs).
#pragma once

#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/index/index.h"
#include "unionfs/layer_stack.h"
#include "unionfs/overlay.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs {

namespace engine {
class Tree;
}

struct UnionOptions {
  const OverlayXattrs* names = &kTrustedXattrs;

  // rename(2) of a directory that has a lower part leaves a redirect; else it is EXDEV.
  bool redirect_dir = false;

  // Copying up one name of a hard-linked lower file takes the other names with it; else (as the
  // kernel with index=off) the link is broken.
  bool keeps_hard_links = false;

  bool is_volatile = false;
};

// Whether a symbolic link at the end of a path is followed.
enum class Follow : bool { kNo, kYes };

struct DirectoryEntry {
  std::string name;
  ino_t inode;
  unsigned char type;  // DT_*
};

enum class ChangeKind : char { kAdded = 'A', kChanged = 'C', kDeleted = 'D' };

struct Change {
  ChangeKind kind;
  std::string path;  // absolute
  friend bool operator==(const Change&, const Change&) = default;
};

class Union {
 public:
  // `index` is that of `stack`. An upper layer without a work directory is only read. ENOENT and
  // ENOTDIR name the upper or work directory at fault; EXDEV if they lie on two file systems.
  [[nodiscard]] static Result<Union> open(LayerStack stack, index::Index index,
                                          std::optional<Upper> upper,
                                          const UnionOptions& options = {});

  Union(Union&&) noexcept;
  Union& operator=(Union&&) noexcept;
  ~Union();

  // --- Reading ---

  // Inode numbers are those of the layer's file, and stay when it is copied up (as far as the
  // layer's file system can name files for good); st_nlink of merged directories is 1: as overlayfs
  // has it.
  [[nodiscard]] Result<struct stat> stat(std::string_view path, Follow follow = Follow::kNo) const;

  // Everything but "." and "..", in no order that means something: what was there at one moment.
  [[nodiscard]] Result<std::vector<DirectoryEntry>> read_directory(std::string_view path) const;

  [[nodiscard]] Result<std::string> read_link(std::string_view path) const;
  [[nodiscard]] Result<std::string> get_xattr(std::string_view path, const std::string& name) const;
  [[nodiscard]] Result<std::vector<std::string>> list_xattrs(std::string_view path) const;

  // Of the upper layer's file system, or the top layer's.
  [[nodiscard]] Result<struct statfs> stat_file_system() const;

  // open(2): the descriptor is that of the real file. What may change the file copies it up first.
  // Directories are EISDIR (they aren't one file).
  [[nodiscard]] Result<UniqueFd> open(std::string_view path, int flags, mode_t mode = 0);

  // What the upper layer changes, sorted by path. Costs what the upper layer holds: unchanged files
  // are not looked at. A directory that was renamed with a redirect is a deletion and an addition,
  // with all that is in it.
  [[nodiscard]] Result<std::vector<Change>> changes() const;

  // --- Changing. EROFS without an upper layer and a work directory. ---

  [[nodiscard]] Result<void> make_directory(std::string_view path, mode_t mode);
  [[nodiscard]] Result<void> make_node(std::string_view path, mode_t mode, dev_t device);
  [[nodiscard]] Result<void> make_symlink(const std::string& target, std::string_view path);
  [[nodiscard]] Result<void> link(std::string_view from, std::string_view to);
  [[nodiscard]] Result<void> unlink(std::string_view path);
  [[nodiscard]] Result<void> remove_directory(std::string_view path);

  // `flags`: 0, RENAME_NOREPLACE or RENAME_EXCHANGE.
  [[nodiscard]] Result<void> rename(std::string_view from, std::string_view to, unsigned flags = 0);

  [[nodiscard]] Result<void> set_mode(std::string_view path, mode_t mode);
  [[nodiscard]] Result<void> set_owner(std::string_view path, uid_t uid, gid_t gid, Follow follow);
  // As utimensat(2) takes them: access and modification time.
  [[nodiscard]] Result<void> set_times(std::string_view path, const timespec times[2],
                                       Follow follow);
  [[nodiscard]] Result<void> truncate(std::string_view path, off_t size);
  [[nodiscard]] Result<void> set_xattr(std::string_view path, const std::string& name,
                                       std::string_view value, int flags);
  [[nodiscard]] Result<void> remove_xattr(std::string_view path, const std::string& name);

  // Makes the upper layer one that needs no redirects and metacopies: what they refer to is copied
  // up. What the union shows stays the same.
  [[nodiscard]] Result<void> complete_upper();

  // Makes all that was changed durable (syncfs(2) of the upper layer).
  [[nodiscard]] Result<void> sync();

 private:
  explicit Union(std::unique_ptr<engine::Tree> tree);
  std::unique_ptr<engine::Tree> tree_;
};

}  // namespace strata::unionfs
