#include "unionfs/copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "unionfs/base/file.h"
#include "unionfs/erofs/tree.h"
#include "unionfs/files/apply_attributes.h"
#include "unionfs/files/copy_content.h"
#include "unionfs/files/list_names.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/layer_entry.h"
#include "unionfs/sys/openat2.h"

namespace strata::unionfs {
namespace {

using erofs::Name;
using erofs::TreeInode;
using index::Record;

Attributes attributes_of(const Record& record) {
  Attributes attributes{.uid = record.uid, .gid = record.gid, .mode = record.mode & 07777};
  attributes.mtime.tv_sec = record.mtime_seconds;
  attributes.mtime.tv_nsec = record.mtime_nanoseconds;
  for (const auto& [name, value] : xattrs_of(record))
    attributes.xattrs.push_back({std::string(name), std::string(value)});
  return attributes;
}

class Copier {
 public:
  Copier(const LayerStack& stack, const index::Index& index, int target)
      : stack_(stack), index_(index), target_(target) {}

  Result<void> run() {
    STRATA_TRY(tree_, erofs::collect_tree(index_));
    paths_.resize(tree_.inodes.size());
    for (uint32_t i = 0; i < tree_.inodes.size(); ++i) {
      if (is_directory(i)) STRATA_CHECK(fill(i));
    }
    // What is made in a directory changes its time; its mode may forbid to make anything.
    for (auto i = static_cast<uint32_t>(tree_.inodes.size()); i-- > 0;) {
      if (is_directory(i)) STRATA_CHECK(dress(i));
    }
    return {};
  }

 private:
  bool is_directory(uint32_t i) const { return S_ISDIR(tree_.inodes[i].record->mode); }

  Result<UniqueFd> open_directory(uint32_t i) const {
    const std::string& path = paths_[i];
    UniqueFd fd =
        sys::open_beneath(target_, path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd) return fail_errno("open " + path);
    return fd;
  }

  Result<void> fill(uint32_t i) {
    const TreeInode& directory = tree_.inodes[i];
    if (directory.name_count == 0) return {};
    STRATA_TRY(const UniqueFd fd, open_directory(i));
    for (uint32_t n = 0; n < directory.name_count; ++n) {
      const Name& name = tree_.names[directory.first_name + n];
      const std::string text(name.text);
      std::string path = join_path(paths_[i], text);
      if (auto added = add(fd.get(), text.c_str(), name.inode); !added)
        return fail_in("copy " + path, std::move(added).error());
      if (paths_[name.inode].empty()) paths_[name.inode] = std::move(path);
    }
    return {};
  }

  Result<void> add(int directory, const char* name, uint32_t inode) {
    const Record& record = *tree_.inodes[inode].record;
    if (const std::string& first = paths_[inode]; !first.empty()) {
      if (::linkat(target_, first.c_str(), directory, name, 0) == 0) return {};
      return fail_errno("link to " + first);
    }
    switch (record.mode & S_IFMT) {
      case S_IFDIR:
        if (::mkdirat(directory, name, 0700) < 0) return fail_errno("create the directory");
        return {};  // dressed when all is in it
      case S_IFREG:
        return add_file(directory, name, record);
      case S_IFLNK:
        if (::symlinkat(std::string(target_of(record)).c_str(), directory, name) < 0)
          return fail_errno("create the symbolic link");
        return apply_attributes_at(directory, name, true, attributes_of(record));
      default:
        if (::mknodat(directory, name, (record.mode & S_IFMT) | 0600, record.device) < 0)
          return fail_errno("create the device, socket or FIFO");
        return apply_attributes_at(directory, name, false, attributes_of(record));
    }
  }

  Result<void> add_file(int directory, const char* name, const Record& record) const {
    const UniqueFd to(
        ::openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to) return fail_errno("create the file");
    if (record.size > 0) STRATA_CHECK(copy_content_of(record, to.get()));
    return apply_attributes(to.get(), attributes_of(record));
  }

  Result<void> copy_content_of(const Record& record, int to) const {
    const Record* data = record.data ? index_.record(record.data) : &record;
    if (data == nullptr || data->layer >= stack_.size())
      return fail(EBADMSG, "the index doesn't say where the content is");
    const size_t layer = stack_.size() - 1 - data->layer;
    const UniqueFd from = sys::open_beneath(stack_.fd(layer), path_in_layer(*data).c_str(),
                                            O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!from) return fail_errno("open it in layer " + stack_.path(layer).string());
    struct stat st {};
    if (::fstat(from.get(), &st) < 0) return fail_errno("stat it");
    if (!S_ISREG(st.st_mode) || st.st_ino != data->inode)
      return fail(ESTALE, "layer " + stack_.path(layer).string() + " was changed");
    return copy_content(from.get(), to);
  }

  Result<void> dress(uint32_t i) const {
    STRATA_TRY(const UniqueFd fd, open_directory(i));
    auto applied = apply_attributes(fd.get(), attributes_of(*tree_.inodes[i].record));
    if (!applied) return fail_in("copy directory " + paths_[i], std::move(applied).error());
    return {};
  }

  const LayerStack& stack_;
  const index::Index& index_;
  int target_;
  erofs::Tree tree_;
  std::vector<std::string> paths_;  // of inodes that were made, one of their names each
};

}  // namespace

Result<void> copy_tree(const LayerStack& stack, const index::Index& index,
                       const std::filesystem::path& target) {
  if (index.root() == nullptr || index.size() != stack.size())
    return fail(EINVAL, "copy " + target.string() + ": the index is of another stack");
  STRATA_CHECK(make_dirs(target, 0700));
  STRATA_TRY(const UniqueFd fd, open_file(target, O_RDONLY | O_DIRECTORY));
  STRATA_TRY(const auto names, list_names(fd.get()));
  if (!names.empty()) return fail(ENOTEMPTY, target.string() + " is not empty");
  return Copier(stack, index, fd.get()).run();
}

}  // namespace strata::unionfs
