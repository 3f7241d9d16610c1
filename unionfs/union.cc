#include "unionfs/union.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <utility>

#include "unionfs/engine/change.h"
#include "unionfs/engine/copy_up.h"
#include "unionfs/engine/sticky.h"
#include "unionfs/engine/tree.h"
#include "unionfs/engine/upper.h"
#include "unionfs/files/proc_path.h"

namespace strata::unionfs {

using engine::Content;
using engine::Kind;
using engine::last_link;
using engine::LastLink;
using engine::Place;

namespace {

// A path to the real file behind a node, for calls that take no descriptor: nothing on it is
// followed but the magic link to its directory.
struct RealPath {
  UniqueFd directory;
  std::string path;
};

Result<RealPath> upper_path(const engine::Tree& tree, const Place& place) {
  RealPath real;
  STRATA_TRY(real.directory,
             tree.open_upper_directory(place.directories.empty() ? "" : place.parent().path));
  real.path = proc_path(real.directory.get(), place.directories.empty() ? "." : place.node.name());
  return real;
}

LastLink last_link_of(int open_flags) {
  const bool creates = (open_flags & O_CREAT) != 0;
  if (creates && (open_flags & (O_EXCL | O_NOFOLLOW)) != 0) return LastLink::kKeep;
  if (creates) return LastLink::kFollowUnlessSlash;
  return (open_flags & O_NOFOLLOW) != 0 ? LastLink::kFollowIfSlash : LastLink::kFollow;
}

// Copies up what is at `path`, then calls change(path of the real file), which gives -1 with errno
// on failure.
template <class Change>
Result<void> change_upper(engine::Tree& tree, std::string_view path, Follow follow, Change change) {
  STRATA_TRY(Place place, tree.find(path, last_link(follow)));
  STRATA_CHECK(copy_up(tree, place));
  STRATA_TRY(const RealPath real, upper_path(tree, place));
  if (change(real.path.c_str()) < 0) return fail_errno(path);
  return {};
}

// fs/xattr.c, xattr_permission: only files and directories have attributes of users.
Result<void> check_can_have(const engine::Tree& tree, std::string_view path,
                            std::string_view xattr) {
  STRATA_TRY(const Place place, tree.find(path, LastLink::kFollowIfSlash));
  if (xattr.starts_with("user.") && !S_ISREG(place.node.mode()) && !place.node.is_directory())
    return fail_errno(path, EPERM);
  return {};
}

}  // namespace

Union::Union(std::unique_ptr<engine::Tree> tree) : tree_(std::move(tree)) {}
Union::Union(Union&&) noexcept = default;
Union& Union::operator=(Union&&) noexcept = default;
Union::~Union() = default;

Result<Union> Union::open(LayerStack stack, index::Index index, std::optional<Upper> upper,
                          const UnionOptions& options) {
  STRATA_TRY(std::unique_ptr<engine::Tree> tree,
             engine::Tree::open(std::move(stack), std::move(index), upper, options));
  return Union(std::move(tree));
}

Result<struct stat> Union::stat(std::string_view path, Follow follow) const {
  STRATA_TRY(const Place place, tree_->find(path, last_link(follow)));
  STRATA_TRY(const UniqueFd fd, tree_->open_real(place.node, O_PATH));
  struct stat status {};
  if (::fstat(fd.get(), &status) < 0) return fail_errno(path);
  const engine::Node& node = place.node;
  const bool is_merged =
      node.upper ? node.lower != nullptr : (node.lower->flags & index::kMerged) != 0;
  if (const auto origin = tree_->origin_of(node)) {
    status.st_dev = origin->device;
    status.st_ino = origin->inode;
  }
  // fs/overlayfs/inode.c, ovl_getattr: "It's probably not worth it to count subdirs".
  if (S_ISDIR(status.st_mode) && is_merged) status.st_nlink = 1;
  return status;
}

Result<std::vector<DirectoryEntry>> Union::read_directory(std::string_view path) const {
  STRATA_TRY(const Place place, tree_->find(path, LastLink::kFollow));
  if (!place.node.is_directory()) return fail_errno(path, ENOTDIR);
  return tree_->list(place.node);
}

Result<std::string> Union::read_link(std::string_view path) const {
  STRATA_TRY(const Place place, tree_->find(path, LastLink::kFollowIfSlash));
  if (!S_ISLNK(place.node.mode())) return fail_errno(path, EINVAL);
  if (place.node.upper) return place.node.upper->target;
  return std::string(index::target_of(*place.node.lower));
}

Result<std::string> Union::get_xattr(std::string_view path, const std::string& name) const {
  STRATA_TRY(const Place place, tree_->find(path, LastLink::kFollowIfSlash));
  if (place.node.upper) {
    for (const Xattr& xattr : place.node.upper->xattrs)
      if (xattr.name == name) return xattr.value;
  } else {
    for (const index::XattrView& xattr : index::xattrs_of(*place.node.lower))
      if (xattr.name == name) return std::string(xattr.value);
  }
  return fail_errno(path, ENODATA);
}

Result<std::vector<std::string>> Union::list_xattrs(std::string_view path) const {
  STRATA_TRY(const Place place, tree_->find(path, LastLink::kFollowIfSlash));
  std::vector<std::string> names;
  if (place.node.upper) {
    for (const Xattr& xattr : place.node.upper->xattrs) names.push_back(xattr.name);
  } else {
    for (const index::XattrView& xattr : index::xattrs_of(*place.node.lower))
      names.emplace_back(xattr.name);
  }
  return names;
}

Result<struct statfs> Union::stat_file_system() const {
  struct statfs status {};
  const int fd = tree_->has_upper() ? tree_->upper_fd() : tree_->stack().fd(0);
  if (::fstatfs(fd, &status) < 0) return fail_errno("statfs");
  return status;
}

Result<UniqueFd> Union::open(std::string_view path, int flags, mode_t mode) {
  const bool writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
  const bool creates = (flags & O_CREAT) != 0;
  const bool must_create = creates && (flags & O_EXCL) != 0;
  STRATA_TRY(Place place, tree_->walk(path, last_link_of(flags)));
  if (creates && place.must_be_directory)
    return fail_errno(path, EISDIR);  // fs/namei.c: open_last_lookups
  const engine::Node& node = place.node;
  if (!node.exists()) {
    if (!creates) return fail_errno(path, ENOENT);
    UniqueFd fd;
    STRATA_CHECK(create(*tree_, place, Kind::kFile, [&](int directory, const char* name) {
      fd.reset(::openat(directory, name, flags | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
      return fd.valid();
    }));
    return fd;
  }
  if (must_create) return fail_errno(path, EEXIST);
  if (node.is_directory()) return fail_errno(path, EISDIR);
  if (creates) STRATA_CHECK(check_sticky(place));
  if (place.must_be_directory || (flags & O_DIRECTORY) != 0) return fail_errno(path, ENOTDIR);
  if (S_ISLNK(node.mode()) && (flags & O_PATH) == 0) return fail_errno(path, ELOOP);
  if (writes && S_ISREG(node.mode())) {
    STRATA_CHECK(copy_up(*tree_, place, (flags & O_TRUNC) != 0 ? Content::kDrop : Content::kKeep));
  }
  const int open_flags = flags & ~(O_CREAT | O_EXCL);
  if (S_ISREG(node.mode()) && node.lower != nullptr)
    return tree_->open_lower(tree_->content_of(*node.lower), open_flags);
  return tree_->open_real(node, open_flags);
}

Result<void> Union::make_directory(std::string_view path, mode_t mode) {
  STRATA_TRY(Place place, tree_->walk(path, LastLink::kKeep));
  return create(*tree_, place, Kind::kDirectory, [&](int directory, const char* name) {
    return ::mkdirat(directory, name, mode) == 0;
  });
}

Result<void> Union::make_node(std::string_view path, mode_t mode, dev_t device) {
  STRATA_TRY(Place place, tree_->walk(path, LastLink::kKeep));
  // fs/overlayfs/dir.c, ovl_mknod: "Don't allow creation of "whiteout" on overlay".
  if (S_ISCHR(mode) && device == 0 && !place.node.exists() && !place.must_be_directory)
    return fail_errno(path, EPERM);
  return create(*tree_, place, Kind::kFile, [&](int directory, const char* name) {
    return ::mknodat(directory, name, mode, device) == 0;
  });
}

Result<void> Union::make_symlink(const std::string& target, std::string_view path) {
  if (target.empty()) return fail_errno(path, ENOENT);
  STRATA_TRY(Place place, tree_->walk(path, LastLink::kKeep));
  return create(*tree_, place, Kind::kFile, [&](int directory, const char* name) {
    return ::symlinkat(target.c_str(), directory, name) == 0;
  });
}

Result<void> Union::link(std::string_view from, std::string_view to) {
  STRATA_TRY(Place old, tree_->find(from, LastLink::kFollowIfSlash));
  STRATA_TRY(Place place, tree_->walk(to, LastLink::kKeep));
  if (place.node.exists()) return fail_errno(to, EEXIST);
  if (place.must_be_directory) return fail_errno(to, ENOENT);
  if (old.node.is_directory()) return fail_errno(from, EPERM);
  STRATA_CHECK(copy_up(*tree_, old));
  STRATA_TRY(const UniqueFd source, tree_->open_upper_directory(old.parent().path));
  const std::string source_name(old.node.name());
  if (tree_->origin_of(old.node)) {
    STRATA_CHECK(copy_up_parents(*tree_, place));
    STRATA_CHECK(set_impure(*tree_, place.parent()));
  }
  return create(*tree_, place, Kind::kFile, [&](int directory, const char* name) {
    return ::linkat(source.get(), source_name.c_str(), directory, name, 0) == 0;
  });
}

Result<void> Union::unlink(std::string_view path) {
  STRATA_TRY(Place place, tree_->find(path, LastLink::kKeep));
  if (place.node.is_directory()) return fail_errno(path, EISDIR);
  return remove(*tree_, place);
}

Result<void> Union::remove_directory(std::string_view path) {
  STRATA_TRY(Place place, tree_->find(path, LastLink::kKeep));
  // fs/namei.c: do_rmdir.
  switch (engine::ending_of(path)) {
    case engine::Ending::kDot:
      return fail_errno(path, EINVAL);
    case engine::Ending::kDotDot:
      return fail_errno(path, ENOTEMPTY);
    case engine::Ending::kRoot:
      return fail_errno(path, EBUSY);
    case engine::Ending::kName:
      break;
  }
  if (!place.node.is_directory()) return fail_errno(path, ENOTDIR);
  return remove(*tree_, place);
}

Result<void> Union::rename(std::string_view from, std::string_view to, unsigned flags) {
  return engine::rename(*tree_, from, to, flags);
}

Result<void> Union::set_mode(std::string_view path, mode_t mode) {
  return change_upper(*tree_, path, Follow::kYes,
                      [&](const char* real) { return ::chmod(real, mode); });
}

Result<void> Union::set_owner(std::string_view path, uid_t uid, gid_t gid, Follow follow) {
  return change_upper(*tree_, path, follow,
                      [&](const char* real) { return ::lchown(real, uid, gid); });
}

Result<void> Union::set_times(std::string_view path, const timespec times[2], Follow follow) {
  return change_upper(*tree_, path, follow, [&](const char* real) {
    return ::utimensat(AT_FDCWD, real, times, AT_SYMLINK_NOFOLLOW);
  });
}

Result<void> Union::truncate(std::string_view path, off_t size) {
  STRATA_TRY(Place place, tree_->find(path, LastLink::kFollow));
  if (place.node.is_directory()) return fail_errno(path, EISDIR);
  if (!S_ISREG(place.node.mode()) || size < 0) return fail_errno(path, EINVAL);
  const engine::Node& node = place.node;
  const bool drops_content =
      size == 0 && (node.upper ? node.upper->status.st_size != 0 : node.lower->size != 0);
  STRATA_CHECK(copy_up(*tree_, place, drops_content ? Content::kDrop : Content::kKeep));
  STRATA_TRY(const UniqueFd fd, tree_->open_real(node, O_WRONLY));
  // truncate(2) leaves the times of a file that keeps its size, ftruncate(2) doesn't (fs/open.c:
  // do_truncate's time_attrs): what was dropped by copying up has to look truncated.
  const int truncated =
      drops_content ? ::ftruncate(fd.get(), size) : ::truncate(proc_path(fd.get()).c_str(), size);
  if (truncated < 0) return fail_errno(path);
  return {};
}

Result<void> Union::set_xattr(std::string_view path, const std::string& name,
                              std::string_view value, int flags) {
  STRATA_CHECK(check_can_have(*tree_, path, name));
  const std::string on_disk = escaped_xattr(name, tree_->names());
  return change_upper(*tree_, path, Follow::kNo, [&](const char* real) {
    return ::lsetxattr(real, on_disk.c_str(), value.data(), value.size(), flags);
  });
}

Result<void> Union::remove_xattr(std::string_view path, const std::string& name) {
  STRATA_CHECK(check_can_have(*tree_, path, name));
  // Without the attribute there is nothing to change (fs/overlayfs/xattrs.c: ovl_xattr_set).
  if (auto old = get_xattr(path, name); !old) return std::unexpected(std::move(old).error());
  const std::string on_disk = escaped_xattr(name, tree_->names());
  return change_upper(*tree_, path, Follow::kNo,
                      [&](const char* real) { return ::lremovexattr(real, on_disk.c_str()); });
}

Result<std::vector<Change>> Union::changes() const {
  return engine::changes(*tree_);
}

Result<void> Union::complete_upper() {
  return engine::complete_upper(*tree_);
}

Result<void> Union::sync() {
  if (tree_->is_writable() && ::syncfs(tree_->upper_fd()) < 0) return fail_errno("sync");
  return {};
}

}  // namespace strata::unionfs
