// The extended attributes that are overlayfs's own (fs/overlayfs/overlayfs.h, Documentation/
// filesystems/overlayfs.rst). They describe a layer to the kernel; they are never content.
//
// Thread rule: constants and pure functions.
#pragma once

#include <string_view>

namespace strata::unionfs {

// The names of one family: a mount reads and writes `trusted.`, with the option `userxattr`
// `user.`.
struct OverlayXattrs {
  // What all of them begin with. A name of this family that is content is escaped on disk by
  // `escape` in its place (overlays in overlays).
  std::string_view prefix;
  std::string_view escape;

  // "y" on a directory: the entries of lower layers don't show through it. Linux 6.7 added "x": the
  // directory is not opaque, but holds whiteouts in the xattr form.
  const char* opaque;

  // On an empty regular file in a directory with opaque=x: the file is a whiteout (Linux 6.7).
  const char* whiteout;

  // Where a renamed directory's lower part lies (or a metacopy's data): an absolute path in the
  // layers below, or another name in the same directory.
  const char* redirect;

  // On a regular file: it has attributes only, its content is in a lower layer.
  const char* metacopy;

  // Where a copied-up file came from, and that a directory holds such files.
  const char* origin;
  const char* impure;
};

inline constexpr OverlayXattrs kTrustedXattrs{
    .prefix = "trusted.overlay.",
    .escape = "trusted.overlay.overlay.",
    .opaque = "trusted.overlay.opaque",
    .whiteout = "trusted.overlay.whiteout",
    .redirect = "trusted.overlay.redirect",
    .metacopy = "trusted.overlay.metacopy",
    .origin = "trusted.overlay.origin",
    .impure = "trusted.overlay.impure",
};

inline constexpr OverlayXattrs kUserXattrs{
    .prefix = "user.overlay.",
    .escape = "user.overlay.overlay.",
    .opaque = "user.overlay.opaque",
    .whiteout = "user.overlay.whiteout",
    .redirect = "user.overlay.redirect",
    .metacopy = "user.overlay.metacopy",
    .origin = "user.overlay.origin",
    .impure = "user.overlay.impure",
};

// Whether `name`, as it is on disk, is a note of the family's; else it is content, escaped or not.
[[nodiscard]] constexpr bool is_note(std::string_view name, const OverlayXattrs& family) {
  return name.starts_with(family.prefix) && !name.starts_with(family.escape);
}

// Whether `name` is for overlayfs alone, in either family or escaped.
[[nodiscard]] constexpr bool is_overlay_xattr(std::string_view name) {
  return name.starts_with(kTrustedXattrs.prefix) || name.starts_with(kUserXattrs.prefix);
}

}  // namespace strata::unionfs
