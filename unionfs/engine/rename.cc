#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "unionfs/engine/change.h"
#include "unionfs/engine/copy_up.h"
#include "unionfs/files/apply_attributes.h"
#include "unionfs/files/list_names.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/files/read_attributes.h"
#include "unionfs/files/tree_path.h"

namespace strata::unionfs::engine {
namespace {

bool is_inside(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         path[directory.size()] == '/';
}

class Rename {
 public:
  Rename(Tree& tree, unsigned flags) : tree_(tree), flags_(flags) {}

  Result<void> run(std::string_view from, std::string_view to) {
    if ((flags_ & ~(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0 ||
        flags_ == (RENAME_NOREPLACE | RENAME_EXCHANGE))
      return fail_errno("rename flags", EINVAL);
    STRATA_TRY(old_, tree_.walk(from, LastLink::kKeep));
    STRATA_TRY(new_, tree_.walk(to, LastLink::kKeep));
    if (ending_of(from) != Ending::kName) return fail_errno(from, EBUSY);
    if (ending_of(to) != Ending::kName)
      return fail_errno(to, (flags_ & RENAME_NOREPLACE) != 0 ? EEXIST : EBUSY);
    STRATA_CHECK(check());
    if (is_same_file()) return {};
    STRATA_CHECK(check_types());
    STRATA_CHECK(check_movable(old_.node));
    if (is_exchange()) STRATA_CHECK(check_movable(new_.node));
    if (!is_exchange() && new_.node.is_directory()) STRATA_CHECK(check_empty(tree_, new_.node));
    STRATA_CHECK(copy_up(tree_, old_));
    STRATA_CHECK(is_exchange() ? copy_up(tree_, new_) : copy_up_parents(tree_, new_));
    if (!is_exchange() && new_.node.upper && new_.node.is_directory())
      STRATA_CHECK(empty_physically(new_));
    STRATA_CHECK(note_move(old_, new_));
    if (is_exchange()) STRATA_CHECK(note_move(new_, old_));
    return move();
  }

 private:
  bool is_exchange() const { return (flags_ & RENAME_EXCHANGE) != 0; }

  // fs/namei.c: do_renameat2, in its order.
  Result<void> check() const {
    const Node& from = old_.node;
    const Node& to = new_.node;
    if (!from.exists()) return fail_errno("/" + from.path, ENOENT);
    if ((flags_ & RENAME_NOREPLACE) != 0 && to.exists()) return fail_errno("/" + to.path, EEXIST);
    if (is_exchange()) {
      if (!to.exists()) return fail_errno("/" + to.path, ENOENT);
      if (!to.is_directory() && new_.must_be_directory) return fail_errno("/" + to.path, ENOTDIR);
    }
    if (!from.is_directory() &&
        (old_.must_be_directory || (!is_exchange() && new_.must_be_directory)))
      return fail_errno("/" + from.path, ENOTDIR);
    if (is_inside(to.path, from.path)) return fail_errno("/" + to.path, EINVAL);
    if (is_inside(from.path, to.path))
      return fail_errno("/" + to.path, is_exchange() ? EINVAL : ENOTEMPTY);
    return {};
  }

  // Names of one file stay as they are (rename(2)).
  bool is_same_file() const {
    const Node& from = old_.node;
    const Node& to = new_.node;
    if (from.path == to.path) return true;
    if (from.upper && to.upper)
      return from.upper->status.st_ino == to.upper->status.st_ino &&
             from.upper->status.st_dev == to.upper->status.st_dev;
    return tree_.options().keeps_hard_links && !from.upper && !to.upper && to.lower != nullptr &&
           !from.is_directory() && engine::is_same_file(*from.lower, *to.lower);
  }

  // fs/namei.c: may_delete.
  Result<void> check_types() const {
    if (is_exchange() || !new_.node.exists()) return {};
    if (old_.node.is_directory() && !new_.node.is_directory())
      return fail_errno("/" + new_.node.path, ENOTDIR);
    if (!old_.node.is_directory() && new_.node.is_directory())
      return fail_errno("/" + new_.node.path, EISDIR);
    return {};
  }

  // fs/overlayfs/dir.c: ovl_can_move.
  Result<void> check_movable(const Node& node) const {
    if (tree_.options().redirect_dir || !node.is_directory() || node.lower == nullptr) return {};
    return fail_errno("/" + node.path, EXDEV);
  }

  // A directory in which nothing shows may still hold whiteouts: an empty one takes its place.
  Result<void> empty_physically(Place& place) {
    STRATA_TRY(const UniqueFd directory, tree_.open_upper_directory(place.node.path));
    STRATA_TRY(const std::vector<std::string> names, list_names(directory.get()));
    if (names.empty()) return {};
    struct stat status {};
    if (::fstat(directory.get(), &status) < 0) return fail_errno("stat the directory");
    const Staged empty(tree_.work());
    if (::mkdirat(tree_.work().fd(), empty.c_str(), 0700) < 0)
      return fail_errno("create an empty directory");
    Attributes attributes = attributes_of(status);
    attributes.xattrs = {{tree_.names().opaque, "y"}};
    STRATA_CHECK(apply_attributes_at(tree_.work().fd(), empty.c_str(), false, attributes));
    if (::renameat2(tree_.work().fd(), empty.c_str(), tree_.upper_fd(), place.node.path.c_str(),
                    RENAME_EXCHANGE) < 0)
      return fail_errno("empty /" + place.node.path);
    return {};
  }

  // What the upper layer must say before a file goes to the place of `to`, so that it shows there
  // what it shows now.
  Result<void> note_move(Place& from, const Place& to) const {
    Node& node = from.node;
    if (from.parent().path != to.parent().path && tree_.origin_of(node))
      STRATA_CHECK(set_impure(tree_, to.parent()));
    if (!node.is_directory()) return {};
    if (node.lower != nullptr) return set_redirect(node, to.node);
    if (to.node.below != nullptr && !node.upper->is_opaque) return set_opaque(tree_, node);
    return {};
  }

  // fs/overlayfs/dir.c: ovl_set_redirect. A name will do where the directory stays in its
  // directory.
  Result<void> set_redirect(const Node& node, const Node& to) const {
    const bool stays = split_path(node.path).parent == split_path(to.path).parent;
    const auto& old = node.upper->redirect;
    if (old && (stays || old->starts_with('/'))) return {};
    const std::string redirect = stays ? std::string(node.name()) : "/" + node.lower_path;
    STRATA_TRY(const UniqueFd fd, tree_.open_upper_directory(node.path));
    if (::setxattr(proc_path(fd.get()).c_str(), tree_.names().redirect, redirect.data(),
                   redirect.size(), 0) < 0)
      return fail_errno("set the redirect of /" + node.path);
    return {};
  }

  Result<void> move() {
    const Node& from = old_.node;
    const Node& to = new_.node;
    unsigned flags = is_exchange() ? RENAME_EXCHANGE : 0;
    bool leaves_whiteout = false;
    if (!is_exchange()) {
      if (to.is_whiteout && (from.below != nullptr || from.is_directory())) {
        flags = RENAME_EXCHANGE;  // the whiteouts change places
        leaves_whiteout = from.below == nullptr;
      } else if (from.below != nullptr) {
        flags = RENAME_WHITEOUT;
      }
    }
    STRATA_TRY(const UniqueFd source, tree_.open_upper_directory(old_.parent().path));
    STRATA_TRY(const UniqueFd target, tree_.open_upper_directory(new_.parent().path));
    const std::string from_name(from.name());
    const std::string to_name(to.name());
    if (::renameat2(source.get(), from_name.c_str(), target.get(), to_name.c_str(), flags) < 0)
      return fail_errno("rename /" + from.path + " to /" + to.path);
    // It hides nothing: if it stays, that is no harm.
    if (leaves_whiteout) (void)::unlinkat(source.get(), from_name.c_str(), 0);
    return {};
  }

  Tree& tree_;
  unsigned flags_;
  Place old_;
  Place new_;
};

}  // namespace

Result<void> rename(Tree& tree, std::string_view from, std::string_view to, unsigned flags) {
  return Rename(tree, flags).run(from, to);
}

}  // namespace strata::unionfs::engine
