#include "unionfs/engine/change.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <utility>

#include "unionfs/engine/copy_up.h"
#include "unionfs/files/proc_path.h"

namespace strata::unionfs::engine {
namespace {

constexpr char kDefaultAcl[] = "system.posix_acl_default";

// Lets what is made in the work directory `to` inherit what it would in `from`: the group of a
// setgid directory, and the default access control list.
Result<void> inherit(int from, int to) {
  struct stat status {};
  if (::fstat(from, &status) < 0) return fail_errno("stat the directory");
  if ((status.st_mode & S_ISGID) != 0 &&
      (::fchown(to, -1, status.st_gid) < 0 || ::fchmod(to, 0700 | S_ISGID) < 0))
    return fail_errno("prepare a directory");
  char acl[4096];
  const ssize_t size = ::getxattr(proc_path(from).c_str(), kDefaultAcl, acl, sizeof acl);
  if (size > 0 && ::fsetxattr(to, kDefaultAcl, acl, static_cast<size_t>(size), 0) < 0)
    return fail_errno("prepare a directory");
  return {};
}

// A new file takes the place of a whiteout in one step, so that what is below never shows.
Result<void> create_over_whiteout(Tree& tree, int directory, const char* name, Kind kind,
                                  const MakeFile& make) {
  const Staged nursery(tree.work());
  if (::mkdirat(tree.work().fd(), nursery.c_str(), 0700) < 0)
    return fail_errno("prepare a directory");
  const UniqueFd inside(
      ::openat(tree.work().fd(), nursery.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!inside) return fail_errno("prepare a directory");
  STRATA_CHECK(inherit(directory, inside.get()));
  if (!make(inside.get(), "new")) return fail_errno("create");
  if (kind == Kind::kFile) {
    if (::renameat(inside.get(), "new", directory, name) < 0) return fail_errno("put in place");
    return {};
  }
  if (::lsetxattr(proc_path(inside.get(), "new").c_str(), tree.names().opaque, "y", 1, 0) < 0)
    return fail_errno("make opaque");
  if (::renameat2(inside.get(), "new", directory, name, RENAME_EXCHANGE) < 0)
    return fail_errno("put in place");
  return {};
}

}  // namespace

Result<void> create(Tree& tree, Place& place, Kind kind, const MakeFile& make) {
  if (place.node.exists()) return fail_errno("/" + place.node.path, EEXIST);
  if (place.must_be_directory && kind == Kind::kFile)
    return fail_errno("/" + place.node.path, ENOENT);
  STRATA_CHECK(copy_up_parents(tree, place));
  STRATA_TRY(const UniqueFd directory, tree.open_upper_directory(place.parent().path));
  const std::string name(place.node.name());
  if (place.node.is_whiteout) {
    auto created = create_over_whiteout(tree, directory.get(), name.c_str(), kind, make);
    if (!created) return fail_in("/" + place.node.path, std::move(created).error());
    return {};
  }
  if (!make(directory.get(), name.c_str())) return fail_errno("/" + place.node.path);
  return {};
}

Result<void> check_empty(const Tree& tree, const Node& directory) {
  STRATA_TRY(const std::vector<DirectoryEntry> entries, tree.list(directory));
  if (!entries.empty()) return fail_errno("/" + directory.path, ENOTEMPTY);
  return {};
}

Result<void> set_opaque(const Tree& tree, Node& directory) {
  STRATA_TRY(const UniqueFd fd, tree.open_upper_directory(directory.path));
  if (::setxattr(proc_path(fd.get()).c_str(), tree.names().opaque, "y", 1, 0) < 0)
    return fail_errno("make /" + directory.path + " opaque");
  directory.upper->is_opaque = true;
  directory.lower = nullptr;
  return {};
}

Result<void> remove(Tree& tree, Place& place) {
  Node& node = place.node;
  if (node.is_directory()) STRATA_CHECK(check_empty(tree, node));
  STRATA_CHECK(copy_up_parents(tree, place));
  STRATA_TRY(const UniqueFd directory, tree.open_upper_directory(place.parent().path));
  const std::string name(node.name());
  if (node.below != nullptr) {
    STRATA_TRY(std::string made, tree.work().make_whiteout());
    const Staged whiteout(tree.work(), std::move(made));
    const unsigned flags = node.upper ? RENAME_EXCHANGE : RENAME_NOREPLACE;
    if (::renameat2(tree.work().fd(), whiteout.c_str(), directory.get(), name.c_str(), flags) < 0)
      return fail_errno("whiteout /" + node.path);
    return {};
  }
  if (::unlinkat(directory.get(), name.c_str(), node.is_directory() ? AT_REMOVEDIR : 0) == 0)
    return {};
  if (!node.is_directory() || errno != ENOTEMPTY) return fail_errno("remove /" + node.path);
  // Whiteouts are left in it.
  const Staged gone(tree.work());
  if (::renameat(directory.get(), name.c_str(), tree.work().fd(), gone.c_str()) < 0)
    return fail_errno("remove /" + node.path);
  return {};
}

}  // namespace strata::unionfs::engine
