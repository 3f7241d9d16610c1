// A file of a layer as overlayfs understands it: what it is, and what its notes say about the
// layers below (FORMAT.md).
//
// Thread rule: functions are independent.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/files/attributes.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs {

struct LayerEntry {
  std::string name;
  struct stat status {};
  bool is_whiteout = false;
  bool is_opaque = false;              // a directory: nothing below shows through
  bool holds_xattr_whiteouts = false;  // a directory: kWhiteout files in it are whiteouts
  bool is_metacopy = false;            // a regular file: the content is in a layer below
  bool is_impure = false;              // a directory: copies from below may lie in it
  std::optional<std::string> redirect;
  std::string origin;         // a copy: what it is one of (engine/origins.h)
  std::string target;         // of a symbolic link
  std::vector<Xattr> xattrs;  // that are content, under the names a mount shows
};

// The file `name` in the directory open as `directory` (O_PATH is enough); not followed.
// `xattr_whiteouts` is what the directory's own entry says. ENOENT and what stat(2), listxattr(2),
// getxattr(2) and readlink(2) report.
[[nodiscard]] Result<LayerEntry> read_layer_entry(int directory, std::string name,
                                                  bool xattr_whiteouts,
                                                  const OverlayXattrs& names = kTrustedXattrs);

// The directory open as `fd` itself, under the name "".
[[nodiscard]] Result<LayerEntry> read_layer_root(int fd,
                                                 const OverlayXattrs& names = kTrustedXattrs);

// From what is on disk to what a mount shows: the family's own attributes are left out, escaped
// ones get their names back. Sorted by name.
[[nodiscard]] std::vector<Xattr> content_xattrs(std::vector<Xattr> on_disk,
                                                const OverlayXattrs& names);

// The name on disk of an attribute that a mount shows as `name`.
[[nodiscard]] std::string escaped_xattr(std::string_view name, const OverlayXattrs& names);

}  // namespace strata::unionfs
