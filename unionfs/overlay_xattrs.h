// The extended attributes that are overlayfs's own (fs/overlayfs/overlayfs.h, Documentation/
// filesystems/overlayfs.rst). They describe a layer to the kernel; they are never content.
//
// Thread rule: constants and pure functions.
#pragma once

#include <string_view>

namespace strata::unionfs {

// "y" on a directory: the entries of lower layers don't show through it. Linux 6.7 added "x": the
// directory is not opaque, but holds whiteouts in the xattr form.
inline constexpr char kOpaqueXattr[] = "trusted.overlay.opaque";

// On an empty regular file in a directory with opaque=x: the file is a whiteout (Linux 6.7).
inline constexpr char kWhiteoutXattr[] = "trusted.overlay.whiteout";

// Where a renamed directory's lower part lies, and that a file's content is in a lower layer. Our
// mounts switch both off; a layer that carries them means something only with its lower layers.
inline constexpr char kRedirectXattr[] = "trusted.overlay.redirect";
inline constexpr char kMetacopyXattr[] = "trusted.overlay.metacopy";

// Whether `name` is for overlayfs alone, in the privileged, unprivileged ("userxattr") or escaped
// ("trusted.overlay.overlay.…") form.
[[nodiscard]] constexpr bool is_overlay_xattr(std::string_view name) {
  return name.starts_with("trusted.overlay.") || name.starts_with("user.overlay.");
}

}  // namespace strata::unionfs
