#include "runtime/linux/path_in_root.h"

#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "runtime/linux/sys.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {
namespace {

constexpr int kMaxLinks = 40;  // the kernel's own limit (MAXSYMLINKS)

using Path = std::array<char, PATH_MAX>;

// Three parts one after the other; false if they don't fit.
bool join(Path& out, const char* a, size_t a_size, const char* b, size_t b_size, const char* c) {
  const size_t c_size = std::strlen(c);
  if (a_size + b_size + c_size + 1 > out.size()) return false;
  std::memmove(out.data() + a_size + b_size, c, c_size + 1);
  std::memcpy(out.data(), a, a_size);
  std::memcpy(out.data() + a_size, b, b_size);
  return true;
}

int make(int parent, const char* name, bool directory) {
  if (directory) return ::mkdirat(parent, name, 0755);
  const UniqueFd fd(::openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
  return fd ? 0 : -1;
}

// The name `path[begin, end)` in `parent` is a symbolic link to something that is not there:
// replaces it in `path` by what it says.
int splice_link(int parent, Path& path, size_t begin, size_t end) {
  Path link{};
  Path name{};
  std::memcpy(name.data(), path.data() + begin, end - begin);
  const ssize_t size = ::readlinkat(parent, name.data(), link.data(), link.size() - 1);
  if (size < 0) return -1;
  const size_t kept = link[0] == '/' ? 0 : begin;
  Path rest = path;
  if (join(path, rest.data(), kept, link.data(), static_cast<size_t>(size), rest.data() + end))
    return 0;
  errno = ENAMETOOLONG;
  return -1;
}

// Makes the first missing component of `path`: 1 if something was done and is worth another look,
// 0 if nothing is missing, -1 on failure.
int make_next(int root, Path& path, bool directory) {
  size_t begin = 0;
  while (path[begin] != '\0') {
    while (path[begin] == '/') ++begin;
    size_t end = begin;
    while (path[end] != '\0' && path[end] != '/') ++end;
    if (end == begin) break;
    const char after = path[end];
    path[end] = '\0';
    const UniqueFd here(sys::openat2(root, path.data(), O_PATH, sys::kInRoot));
    path[end] = after;
    if (here) {
      begin = end;
      continue;
    }
    if (errno != ENOENT) return -1;
    const char first = path[begin];
    path[begin] = '\0';
    const UniqueFd parent(
        sys::openat2(root, begin == 0 ? "." : path.data(), O_PATH | O_DIRECTORY, sys::kInRoot));
    path[begin] = first;
    if (!parent) return -1;
    Path name{};
    std::memcpy(name.data(), path.data() + begin, end - begin);
    const bool last = path[end] == '\0';
    if (make(parent.get(), name.data(), directory || !last) == 0) return 1;
    if (errno != EEXIST) return -1;
    return splice_link(parent.get(), path, begin, end) == 0 ? 1 : -1;
  }
  return 0;
}

bool is_file(PointKind kind) {
  return kind == PointKind::kFile || kind == PointKind::kPlainFile;
}

// What the kernel would only call invalid when it comes to mounting is told apart here.
int open_point(int root, const char* path, PointKind kind) {
  const bool plain = kind == PointKind::kPlainDirectory || kind == PointKind::kPlainFile;
  const uint64_t flags = O_PATH | (is_file(kind) ? 0 : O_DIRECTORY);
  const uint64_t resolve = sys::kInRoot | (plain ? RESOLVE_NO_SYMLINKS : 0);
  UniqueFd fd(sys::openat2(root, path, flags, resolve));
  struct stat st {};
  if (fd && is_file(kind) && ::fstat(fd.get(), &st) == 0 && S_ISDIR(st.st_mode)) {
    errno = EISDIR;
    return -1;
  }
  return fd.release();
}

}  // namespace

bool is_procfs(int fd) noexcept {
  struct statfs fs {};
  return ::fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

int open_in_root(int root, const char* path) noexcept {
  return sys::openat2(root, path, O_PATH, sys::kInRoot);
}

int open_mount_point(int root, const char* path, PointKind kind) noexcept {
  int fd = open_point(root, path, kind);
  if (fd >= 0 || errno != ENOENT) return fd;

  Path made{};
  if (!join(made, path, std::strlen(path), "", 0, "")) {
    errno = ENAMETOOLONG;
    return -1;
  }
  // Each round makes a directory or follows a dangling link; both are bounded by the path's size.
  for (int round = 0; round < kMaxLinks + PATH_MAX / 2; ++round) {
    const int made_one = make_next(root, made, !is_file(kind));
    if (made_one < 0) return -1;
    if (made_one == 0) return open_point(root, made.data(), kind);
  }
  errno = ELOOP;
  return -1;
}

}  // namespace strata::linux
