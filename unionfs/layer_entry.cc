#include "unionfs/layer_entry.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "unionfs/files/proc_path.h"
#include "unionfs/files/read_attributes.h"

namespace strata::unionfs {
namespace {

bool is_device_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

// Sorts the attributes into the entry's notes and its content.
void take_xattrs(LayerEntry& entry, std::vector<Xattr> on_disk, bool xattr_whiteouts,
                 const OverlayXattrs& names) {
  const bool is_directory = S_ISDIR(entry.status.st_mode);
  const bool is_file = S_ISREG(entry.status.st_mode);
  for (Xattr& xattr : on_disk) {
    if (!xattr.name.starts_with(names.prefix)) continue;
    if (is_directory && xattr.name == names.opaque) {
      entry.is_opaque = xattr.value == "y";
      entry.holds_xattr_whiteouts = xattr.value == "x";
    } else if (is_directory && xattr.name == names.impure) {
      entry.is_impure = true;
    } else if (xattr.name == names.origin) {
      entry.origin = std::move(xattr.value);
    } else if (xattr.name == names.redirect) {
      entry.redirect = std::move(xattr.value);
    } else if (is_file && xattr.name == names.metacopy) {
      entry.is_metacopy = true;
    } else if (is_file && xattr_whiteouts && entry.status.st_size == 0 &&
               xattr.name == names.whiteout) {
      entry.is_whiteout = true;
    }
  }
  entry.xattrs = content_xattrs(std::move(on_disk), names);
}

Result<std::string> read_target(int directory, const std::string& name) {
  std::string target(PATH_MAX, '\0');
  const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
  if (length < 0) return fail_errno("read symbolic link " + name);
  target.resize(static_cast<size_t>(length));
  return target;
}

}  // namespace

std::vector<Xattr> content_xattrs(std::vector<Xattr> on_disk, const OverlayXattrs& names) {
  std::erase_if(on_disk, [&](const Xattr& xattr) { return is_note(xattr.name, names); });
  for (Xattr& xattr : on_disk) {
    if (xattr.name.starts_with(names.escape))
      xattr.name.replace(0, names.escape.size(), names.prefix);
  }
  std::ranges::sort(on_disk, {}, &Xattr::name);
  return on_disk;
}

std::string escaped_xattr(std::string_view name, const OverlayXattrs& names) {
  if (!name.starts_with(names.prefix)) return std::string(name);
  return std::string(names.escape).append(name.substr(names.prefix.size()));
}

Result<LayerEntry> read_layer_entry(int directory, std::string name, bool xattr_whiteouts,
                                    const OverlayXattrs& names) {
  LayerEntry entry;
  entry.name = std::move(name);
  if (::fstatat(directory, entry.name.c_str(), &entry.status, AT_SYMLINK_NOFOLLOW) < 0)
    return fail_errno("stat " + entry.name);
  if (is_device_whiteout(entry.status)) {
    entry.is_whiteout = true;
    return entry;
  }
  STRATA_TRY(std::vector<Xattr> xattrs, read_xattrs(directory, entry.name));
  if (!xattrs.empty()) take_xattrs(entry, std::move(xattrs), xattr_whiteouts, names);
  if (S_ISLNK(entry.status.st_mode)) {
    STRATA_TRY(entry.target, read_target(directory, entry.name));
  }
  return entry;
}

Result<LayerEntry> read_layer_root(int fd, const OverlayXattrs& names) {
  LayerEntry entry;
  if (::fstat(fd, &entry.status) < 0) return fail_errno("stat the root");
  STRATA_TRY(std::vector<Xattr> xattrs, read_xattrs(fd, "."));
  take_xattrs(entry, std::move(xattrs), false, names);
  return entry;
}

}  // namespace strata::unionfs
