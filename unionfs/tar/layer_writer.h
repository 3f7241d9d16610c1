// Builds a layer directory entry by entry, in the order of a tar that nobody vouches for.
//
// Whatever the entries are called and however they follow each other, nothing outside of the
// directory is touched: names are resolved with openat2(2) below it, no symbolic link is followed,
// and files are created anew, never opened.
//
// Entries of one layer don't hide each other, and their order doesn't matter for whiteouts
// (image-spec layer.md): a whiteout or an opaque marker speaks of lower layers only. A later entry
// replaces an earlier one of the same name, but for directories, which merge. A directory that
// replaces a whiteout or a file is opaque, since what lies in lower layers is gone by then.
//
// Directories get their owner, mode, times and attributes in finish(): so neither read-only
// directories, nor default ACLs, nor setgid bits, nor the files that follow get in the way.
//
// Errors say what failed; the caller puts the entry's name in front.
//
// Thread rule: one user at a time.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"
#include "unionfs/files/attributes.h"
#include "unionfs/tar/tree_root.h"

namespace strata::unionfs::tar {

// All paths as EntryName::path has them.
class LayerWriter {
 public:
  // REQUIRES: `layer` is an empty directory.
  [[nodiscard]] static Result<LayerWriter> open(const std::filesystem::path& layer);

  [[nodiscard]] Result<void> add_directory(const std::string& path, Attributes attributes);

  // A regular file is created, filled by the caller, and closed with its attributes.
  [[nodiscard]] Result<UniqueFd> create_file(const std::string& path);
  [[nodiscard]] static Result<void> finish_file(UniqueFd file, const Attributes& attributes);

  [[nodiscard]] Result<void> add_symlink(const std::string& path, const std::string& target,
                                         const Attributes& attributes);

  // A device or FIFO. `type` is an S_IFMT value. EINVAL for devices 0:0, which mean whiteouts.
  [[nodiscard]] Result<void> add_special(const std::string& path, mode_t type, dev_t device,
                                         const Attributes& attributes);

  // EINVAL if `target` isn't a file of this layer. The attributes are the target's.
  [[nodiscard]] Result<void> add_hard_link(const std::string& path, const std::string& target);

  [[nodiscard]] Result<void> add_whiteout(const std::string& path);
  [[nodiscard]] Result<void> add_opaque(const std::string& directory);

  // Gives the directories their attributes. Call once, last.
  [[nodiscard]] Result<void> finish();

 private:
  struct Directory {
    Attributes attributes;
    bool opaque = false;
  };

  explicit LayerWriter(TreeRoot root) : root_(std::move(root)) {}

  // A descriptor on the directory that `path` lies in. Missing ones are made: 0755, root's, of the
  // epoch, so that the same tar makes the same layer whenever it is unpacked.
  [[nodiscard]] Result<int> parent_of(std::string_view path);
  [[nodiscard]] Result<void> make_missing(std::string_view path);
  [[nodiscard]] Result<void> make_directory(int parent, const std::string& path);

  // Runs `make` (a system call that creates `path` in `parent`, with errno), and again without
  // what stood in its way.
  template <class Make>
  [[nodiscard]] Result<void> create(int parent, const std::string& path, const char* what,
                                    Make make);
  [[nodiscard]] Result<void> remove(int parent, const std::string& path);

  TreeRoot root_;
  std::map<std::string, Directory, std::less<>> directories_;  // all that were made
};

}  // namespace strata::unionfs::tar
