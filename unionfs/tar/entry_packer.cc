#include "unionfs/tar/entry_packer.h"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "unionfs/base/unique_fd.h"
#include "unionfs/files/read_attributes.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/tar/entry_name.h"

namespace strata::unionfs::tar {

Result<void> in_entry(const std::string& path, Result<void> result) {
  if (result) return result;
  return fail_in("pack " + in_quotes(path.empty() ? "." : path), std::move(result).error());
}

Result<void> check_layer_name(std::string_view name) {
  if (name.starts_with(kWhiteoutPrefix))
    return fail(EINVAL, "in a layer's tar the name would mean a whiteout");
  return {};
}

Result<void> EntryPacker::add_directory(const std::string& path, int fd) {
  struct stat st {};
  if (::fstat(fd, &st) < 0) return fail_errno("stat the directory");
  PackEntry entry;
  entry.name = path.empty() ? "./" : path + "/";
  entry.type = S_IFDIR;
  entry.attributes = attributes_of(st);
  STRATA_TRY(entry.attributes.xattrs, read_xattrs(fd));
  STRATA_CHECK(drop_overlay_xattrs(entry.attributes.xattrs));
  ++stats_.entries;
  return writer_.write_header(entry);
}

Result<void> EntryPacker::add_opaque_marker(const std::string& path) {
  return add_marker(join_path(path, kOpaqueMarker));
}

Result<void> EntryPacker::add_whiteout(const std::string& path) {
  const auto [parent, name] = split_path(path);
  return add_marker(join_path(parent, std::string(kWhiteoutPrefix).append(name)));
}

// Marker files of the tar: empty, root's, of the epoch.
Result<void> EntryPacker::add_marker(std::string name) {
  PackEntry marker;
  marker.name = std::move(name);
  marker.attributes.mode = 0600;
  ++stats_.entries;
  ++stats_.whiteouts;
  return writer_.write_header(marker);
}

Result<void> EntryPacker::add(const std::string& path, int parent, const std::string& name,
                              int content) {
  struct stat st {};
  if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) return fail_errno("stat");
  if (S_ISSOCK(st.st_mode)) return {};
  if (!S_ISREG(st.st_mode)) return add_special(path, parent, name, st);
  return add_file(path, parent, name, content);
}

Result<void> EntryPacker::add_special(const std::string& path, int parent, const std::string& name,
                                      const struct stat& st) {
  STRATA_TRY(const bool is_linked, add_if_linked(path, st));
  if (is_linked) return {};
  PackEntry entry;
  entry.name = path;
  entry.type = st.st_mode & S_IFMT;
  entry.device = st.st_rdev;
  entry.attributes = attributes_of(st);
  STRATA_TRY(entry.attributes.xattrs, read_xattrs(parent, name));
  STRATA_CHECK(drop_overlay_xattrs(entry.attributes.xattrs));
  if (S_ISLNK(st.st_mode)) {
    entry.link.resize(PATH_MAX);
    const ssize_t length = ::readlinkat(parent, name.c_str(), entry.link.data(), entry.link.size());
    if (length < 0) return fail_errno("read the symbolic link");
    entry.link.resize(static_cast<size_t>(length));
  }
  ++stats_.entries;
  return writer_.write_header(entry);
}

// The second and further names of an inode become hard links to the first.
Result<bool> EntryPacker::add_if_linked(const std::string& path, const struct stat& st) {
  if (st.st_nlink < 2) return false;
  const auto [first, is_new] = first_names_.try_emplace({st.st_dev, st.st_ino}, path);
  if (is_new) return false;
  PackEntry entry;
  entry.name = path;
  entry.type = st.st_mode & S_IFMT;
  entry.attributes = attributes_of(st);
  entry.link = first->second;
  entry.is_hard_link = true;
  ++stats_.entries;
  STRATA_CHECK(writer_.write_header(entry));
  return true;
}

Result<void> EntryPacker::add_file(const std::string& path, int parent, const std::string& name,
                                   int content) {
  // Opened before it is believed to be a file: whoever changes the tree meanwhile must not make us
  // open a device (O_NONBLOCK: or wait for a FIFO's writer).
  const UniqueFd fd(::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat st {};
  if (!fd || ::fstat(fd.get(), &st) < 0) return fail_errno("open");
  if (!S_ISREG(st.st_mode)) return fail(EBUSY, "it was replaced meanwhile");
  if (content < 0) content = fd.get();
  PackEntry entry;
  entry.name = path;
  entry.attributes = attributes_of(st);
  STRATA_TRY(entry.attributes.xattrs, read_xattrs(fd.get()));
  STRATA_CHECK(drop_overlay_xattrs(entry.attributes.xattrs));
  STRATA_TRY(const bool is_linked, add_if_linked(path, st));
  if (is_linked) return {};
  if (::fstat(content, &st) < 0) return fail_errno("stat the content");
  entry.size = static_cast<uint64_t>(st.st_size);
  if (can_be_sparse(path)) {
    STRATA_TRY(entry.extents, read_extents(content, st));
  }
  ++stats_.entries;
  stats_.bytes += entry.size;
  STRATA_CHECK(writer_.write_header(entry));
  if (entry.extents.empty()) return add_content(content, {0, entry.size});
  return add_sparse_content(content, entry);
}

Result<void> EntryPacker::add_content(int fd, Extent extent) {
  while (extent.length > 0) {
    const size_t want = std::min<uint64_t>(extent.length, buffer_.size());
    const ssize_t n = ::pread(fd, buffer_.data(), want, static_cast<off_t>(extent.offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read");
    if (n == 0) return fail(EBUSY, "it became shorter while it was read");
    const auto count = static_cast<size_t>(n);
    STRATA_CHECK(writer_.write_data(std::span(buffer_).first(count)));
    extent.offset += count;
    extent.length -= count;
  }
  return {};
}

// The writer wants holes, too, but doesn't look at their bytes.
Result<void> EntryPacker::add_sparse_content(int fd, const PackEntry& entry) {
  uint64_t at = 0;
  for (const Extent& extent : entry.extents) {
    STRATA_CHECK(skip_hole(extent.offset - at));
    STRATA_CHECK(add_content(fd, extent));
    at = extent.offset + extent.length;
  }
  return skip_hole(entry.size - at);
}

Result<void> EntryPacker::skip_hole(uint64_t length) {
  while (length > 0) {
    const size_t count = std::min<uint64_t>(length, buffer_.size());
    STRATA_CHECK(writer_.write_data(std::span(buffer_).first(count)));
    length -= count;
  }
  return {};
}

// Overlayfs's own attributes are no content; two of them say that the rest is elsewhere.
Result<void> EntryPacker::drop_overlay_xattrs(std::vector<Xattr>& xattrs) const {
  for (const char* refers : {kTrustedXattrs.redirect, kTrustedXattrs.metacopy}) {
    if (other_layers_ == OtherLayers::kRefused &&
        std::ranges::find(xattrs, refers, &Xattr::name) != xattrs.end())
      return fail(EINVAL, std::string("it refers to another layer by ") + refers +
                              ", and a tar can't: that layer has to be given, too");
  }
  std::erase_if(xattrs, [](const Xattr& xattr) { return is_overlay_xattr(xattr.name); });
  return {};
}

}  // namespace strata::unionfs::tar
