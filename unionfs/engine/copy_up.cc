#include "unionfs/engine/copy_up.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "unionfs/engine/hard_links.h"
#include "unionfs/files/apply_attributes.h"
#include "unionfs/files/copy_content.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/files/read_attributes.h"

namespace strata::unionfs::engine {
namespace {

// The attributes on disk that go along: not what overlayfs notes about the lower file.
std::vector<Xattr> without_notes(std::vector<Xattr> on_disk, const OverlayXattrs& names) {
  std::erase_if(on_disk, [&](const Xattr& xattr) { return is_note(xattr.name, names); });
  return on_disk;
}

// Names of a hard-linked file part when they are copied up (fs/overlayfs/copy_up.c:
// ovl_do_copy_up).
bool keeps_number(const struct stat& lower) {
  return S_ISDIR(lower.st_mode) || lower.st_nlink == 1;
}

// fs/xattr.c, xattr_permission: only files and directories have attributes of users.
bool can_have_notes(mode_t mode, const OverlayXattrs& names) {
  return &names != &kUserXattrs || S_ISREG(mode) || S_ISDIR(mode);
}

struct Source {
  UniqueFd fd;  // O_PATH, or open for reading if it is a regular file
  struct stat status {};
  Attributes attributes;
};

Result<Source> open_source(const Tree& tree, const Record& record) {
  Source source;
  const bool is_file = S_ISREG(record.mode);
  STRATA_TRY(source.fd, tree.open_lower(record, is_file ? O_RDONLY | O_NOATIME : O_PATH));
  if (::fstat(source.fd.get(), &source.status) < 0) return fail_errno("stat");
  source.attributes = attributes_of(source.status);
  source.attributes.atime = source.status.st_atim;
  const std::string path = index::path_in_layer(record);
  STRATA_TRY(std::vector<Xattr> xattrs,
             read_xattrs(tree.layer_of(record), path.empty() ? "." : path));
  source.attributes.xattrs = without_notes(std::move(xattrs), tree.names());
  if (keeps_number(source.status) && can_have_notes(source.status.st_mode, tree.names()))
    source.attributes.xattrs.push_back(
        {tree.names().origin, tree.origins().note_of(source.fd.get(), source.status)});
  return source;
}

Result<void> stage_file(Tree& tree, const Staged& staged, const Source& source, Content content,
                        int data) {
  const UniqueFd fd(::openat(tree.work().fd(), staged.c_str(),
                             O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno("create the copy");
  if (content == Content::kKeep) STRATA_CHECK(copy_content(data, fd.get()));
  STRATA_CHECK(apply_attributes(fd.get(), source.attributes));
  if (!tree.options().is_volatile && ::fsync(fd.get()) < 0) return fail_errno("sync the copy");
  return {};
}

Result<void> stage_special(Tree& tree, const Staged& staged, const Record& record,
                           const Source& source) {
  if (S_ISLNK(record.mode)) {
    const std::string target(index::target_of(record));
    if (::symlinkat(target.c_str(), tree.work().fd(), staged.c_str()) < 0)
      return fail_errno("create the copy");
  } else if (S_ISDIR(record.mode)) {
    if (::mkdirat(tree.work().fd(), staged.c_str(), 0700) < 0) return fail_errno("create the copy");
  } else if (::mknodat(tree.work().fd(), staged.c_str(), record.mode & S_IFMT,
                       source.status.st_rdev) < 0) {
    return fail_errno("create the copy");
  }
  return apply_attributes_at(tree.work().fd(), staged.c_str(), S_ISLNK(record.mode),
                             source.attributes);
}

Result<void> stage(Tree& tree, const Staged& staged, const Record& record, Content content) {
  STRATA_TRY(const Source source, open_source(tree, record));
  if (!S_ISREG(record.mode)) return stage_special(tree, staged, record, source);
  if (!record.data) return stage_file(tree, staged, source, content, source.fd.get());
  STRATA_TRY(const UniqueFd data, tree.open_lower(tree.content_of(record), O_RDONLY));
  return stage_file(tree, staged, source, content, data.get());
}

// Gives a directory of the upper layer its times back after something was put into it
// (fs/overlayfs/copy_up.c: "Restore timestamps on parent").
void restore_times(int directory, const struct stat& status) {
  const timespec times[2] = {status.st_atim, status.st_mtim};
  (void)::utimensat(directory, ".", times, 0);
}

// Puts what is staged into the directory `parent` of the upper layer, where `node` has no file yet.
Result<void> put_in_place(Tree& tree, const Staged& staged, const Node& parent, const Node& node) {
  STRATA_CHECK(set_impure(tree, parent));
  STRATA_TRY(const UniqueFd directory, tree.open_upper_directory(parent.path));
  struct stat before {};
  if (::fstat(directory.get(), &before) < 0) return fail_errno("stat the directory");
  const std::string name(node.name());
  if (::renameat2(tree.work().fd(), staged.c_str(), directory.get(), name.c_str(),
                  RENAME_NOREPLACE) < 0)
    return fail_errno("put the copy in place");
  restore_times(directory.get(), before);
  return {};
}

// The other names of a hard-linked file become names of the staged copy, before that is changed by
// anyone: whenever this is cut short, all names still have the same content.
Result<void> copy_up_links(Tree& tree, const Staged& staged, const Node& node) {
  for (const std::string& path : tree.link_groups().names_of(*node.lower)) {
    if (path == node.path) continue;
    STRATA_TRY(Place place, tree.walk(path, LastLink::kKeep));
    const Record* other = place.node.upper ? nullptr : place.node.lower;
    if (other == nullptr || !is_same_file(*other, *node.lower)) continue;
    STRATA_CHECK(copy_up_parents(tree, place));
    const Staged link(tree.work());
    if (::linkat(tree.work().fd(), staged.c_str(), tree.work().fd(), link.c_str(), 0) < 0)
      return fail_errno("link the copy");
    STRATA_CHECK(put_in_place(tree, link, place.parent(), place.node));
  }
  return {};
}

// `parent` exists in the upper layer.
Result<void> copy_up_node(Tree& tree, const Node& parent, Node& node, Content content) {
  if (node.upper) return {};
  // Another path of the same operation may have copied it up meanwhile.
  STRATA_TRY(Node now, tree.child(parent, node.name()));
  node = std::move(now);
  if (node.upper) return {};
  const Staged staged(tree.work());
  STRATA_CHECK(stage(tree, staged, *node.lower, content));
  if (tree.options().keeps_hard_links && node.lower->links > 1 && !node.is_directory())
    STRATA_CHECK(copy_up_links(tree, staged, node));
  STRATA_CHECK(put_in_place(tree, staged, parent, node));
  STRATA_TRY(Node copied, tree.child(parent, node.name()));
  node = std::move(copied);
  return {};
}

// A metacopy of the upper layer becomes a whole file: the kernel, too, writes into the file first
// and removes the note last (fs/overlayfs/copy_up.c: ovl_copy_up_meta_inode_data).
Result<void> complete_metacopy(Tree& tree, const Node& parent, Node& node, Content content) {
  STRATA_TRY(const UniqueFd fd, tree.open_real(node, O_RDWR));
  const timespec times[2] = {node.upper->status.st_atim, node.upper->status.st_mtim};
  if (content == Content::kKeep) {
    STRATA_TRY(const UniqueFd data, tree.open_lower(tree.content_of(*node.lower), O_RDONLY));
    STRATA_CHECK(copy_content(data.get(), fd.get()));
  }
  if (::futimens(fd.get(), times) < 0) return fail_errno("restore the times");
  if (!tree.options().is_volatile && ::fsync(fd.get()) < 0) return fail_errno("sync the copy");
  for (const char* note : {tree.names().metacopy, tree.names().redirect}) {
    if (::removexattr(proc_path(fd.get()).c_str(), note) < 0 && errno != ENODATA)
      return fail_errno(std::string("remove ") + note);
  }
  STRATA_TRY(Node completed, tree.child(parent, node.name()));
  node = std::move(completed);
  return {};
}

}  // namespace

Result<void> set_impure(const Tree& tree, const Node& directory) {
  if (directory.upper->is_impure) return {};
  STRATA_TRY(const UniqueFd fd, tree.open_upper_directory(directory.path));
  if (::setxattr(proc_path(fd.get()).c_str(), tree.names().impure, "y", 1, 0) < 0)
    return fail_errno("mark /" + directory.path + " as impure");
  return {};
}

Result<void> copy_up_parents(Tree& tree, Place& place) {
  if (!tree.is_writable()) return fail_errno("/" + place.node.path, EROFS);
  for (size_t i = 1; i < place.directories.size(); ++i) {
    Node& directory = place.directories[i];
    auto copied = copy_up_node(tree, place.directories[i - 1], directory, Content::kKeep);
    if (!copied) return fail_in("copy up /" + directory.path, std::move(copied).error());
  }
  return {};
}

Result<void> copy_up(Tree& tree, Place& place, Content content) {
  STRATA_CHECK(copy_up_parents(tree, place));
  if (place.directories.empty()) return {};  // the root is always there
  Node& node = place.node;
  auto copied = node.upper && node.upper->is_metacopy
                    ? complete_metacopy(tree, place.parent(), node, content)
                    : copy_up_node(tree, place.parent(), node, content);
  if (!copied) return fail_in("copy up /" + node.path, std::move(copied).error());
  return {};
}

}  // namespace strata::unionfs::engine
