// Files of a tree, one after the other, as entries of a tar: what walks over trees have in common.
//
// Thread rule: one user at a time.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/files/attributes.h"
#include "unionfs/layer_tar.h"
#include "unionfs/overlay_xattrs.h"
#include "unionfs/tar/archive_writer.h"

namespace strata::unionfs::tar {

// What becomes of notes that say that the rest of a file is in another layer.
enum class OtherLayers : bool {
  kRefused,   // EINVAL: nobody knows those layers
  kResolved,  // the walk has followed them
};

class EntryPacker {
 public:
  EntryPacker(ArchiveWriter& writer, OtherLayers other_layers)
      : writer_(writer), other_layers_(other_layers), buffer_(kBufferSize) {}

  // The directory open as `fd`, called `path` in the tar ("" is the root).
  [[nodiscard]] Result<void> add_directory(const std::string& path, int fd);

  // Notes that nothing of lower layers shows in the directory `path`, or that it hides the name
  // `path` of theirs.
  [[nodiscard]] Result<void> add_opaque_marker(const std::string& path);
  [[nodiscard]] Result<void> add_whiteout(const std::string& path);

  // Whatever else `name` in the directory `parent` is; sockets are left out. `content`: where the
  // content of a regular file is, if not in itself (-1).
  [[nodiscard]] Result<void> add(const std::string& path, int parent, const std::string& name,
                                 int content = -1);

  [[nodiscard]] const LayerStats& stats() const { return stats_; }

 private:
  static constexpr size_t kBufferSize = size_t{256} << 10;

  Result<void> add_marker(std::string name);
  Result<void> add_special(const std::string& path, int parent, const std::string& name,
                           const struct stat& st);
  Result<void> add_file(const std::string& path, int parent, const std::string& name, int content);
  Result<bool> add_if_linked(const std::string& path, const struct stat& st);
  Result<void> add_content(int fd, Extent extent);
  Result<void> add_sparse_content(int fd, const PackEntry& entry);
  Result<void> skip_hole(uint64_t length);
  Result<void> drop_overlay_xattrs(std::vector<Xattr>& xattrs) const;

  ArchiveWriter& writer_;
  OtherLayers other_layers_;
  std::vector<std::byte> buffer_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
  LayerStats stats_;
};

// An error of what was done for the entry `path`, naming it.
[[nodiscard]] Result<void> in_entry(const std::string& path, Result<void> result);

// EINVAL for a name that would mean a whiteout in a layer's tar.
[[nodiscard]] Result<void> check_layer_name(std::string_view name);

}  // namespace strata::unionfs::tar
