#include "unionfs/files/read_attributes.h"

#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "unionfs/sys/xattr_at.h"

namespace strata::unionfs {
namespace {

// Asks for a size, then for the value; it may grow in between (ERANGE).
template <class Get>
Result<std::string> read_growing(Get get, const std::string& what) {
  for (;;) {
    const ssize_t size = get(nullptr, 0);
    if (size < 0) return fail_errno(what);
    std::string value(static_cast<size_t>(size), '\0');
    if (size == 0) return value;
    const ssize_t got = get(value.data(), value.size());
    if (got < 0 && errno == ERANGE) continue;
    if (got < 0) return fail_errno(what);
    value.resize(static_cast<size_t>(got));
    return value;
  }
}

// `list` and `get` are listxattr(2) and getxattr(2) with the file bound to them.
template <class List, class Get>
Result<std::vector<Xattr>> read_all(List list, Get get) {
  std::vector<Xattr> xattrs;
  auto names = read_growing(list, "list extended attributes");
  if (!names && names.error().code == ENOTSUP) return xattrs;
  if (!names) return std::unexpected(std::move(names).error());
  for (size_t at = 0; at < names->size();) {
    std::string name = names->c_str() + at;
    at += name.size() + 1;
    STRATA_TRY(std::string value,
               read_growing([&](char* out, size_t size) { return get(name.c_str(), out, size); },
                            "read extended attribute " + name));
    xattrs.push_back({std::move(name), std::move(value)});
  }
  std::ranges::sort(xattrs, {}, &Xattr::name);
  return xattrs;
}

}  // namespace

Result<std::vector<Xattr>> read_xattrs(int directory, const std::string& name) {
  return read_all(
      [&](char* out, size_t size) {
        return sys::list_xattr_at(directory, name.c_str(), out, size);
      },
      [&](const char* xattr, char* out, size_t size) {
        return sys::get_xattr_at(directory, name.c_str(), xattr, out, size);
      });
}

Result<std::vector<Xattr>> read_xattrs(int fd) {
  return read_all(
      [&](char* out, size_t size) { return ::flistxattr(fd, out, size); },
      [&](const char* xattr, char* out, size_t size) { return ::fgetxattr(fd, xattr, out, size); });
}

Attributes attributes_of(const struct stat& st) {
  return {.uid = st.st_uid, .gid = st.st_gid, .mode = st.st_mode & 07777, .mtime = st.st_mtim};
}

Result<std::vector<Extent>> read_extents(int fd, const struct stat& st) {
  constexpr blkcnt_t kStatBlock = 512;  // the unit of st_blocks (stat(2))
  std::vector<Extent> extents;
  if (st.st_blocks * kStatBlock >= st.st_size) return extents;
  for (off_t at = 0; at < st.st_size;) {
    const off_t data = ::lseek(fd, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // holes to the end
    if (data < 0) return fail_errno("find data");
    const off_t hole = ::lseek(fd, data, SEEK_HOLE);
    if (hole < 0) return fail_errno("find holes");
    at = std::min(hole, st.st_size);
    if (data < at)
      extents.push_back({static_cast<uint64_t>(data), static_cast<uint64_t>(at - data)});
    // Tail packing and compression make files small without holes.
    if (data == 0 && at == st.st_size) return std::vector<Extent>();
  }
  if (extents.empty()) extents.push_back({static_cast<uint64_t>(st.st_size), 0});
  return extents;
}

}  // namespace strata::unionfs
