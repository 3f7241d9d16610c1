#include "unionfs/tar/layer_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/files/apply_attributes.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/overlay_xattrs.h"
#include "unionfs/sys/openat2.h"
#include "unionfs/tar/entry_name.h"

namespace strata::unionfs::tar {
namespace {

const char* last_component(const std::string& path) {
  return split_path(path).name.data();
}

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

std::unexpected<Error> fail_not_a_directory(std::string_view path, int code) {
  if (code == ELOOP || code == ENOTDIR)
    return fail(EINVAL, "its name runs through " + in_quotes(path) + ", which is not a directory");
  return fail_errno("open directory " + in_quotes(path), code);
}

}  // namespace

Result<LayerWriter> LayerWriter::open(const std::filesystem::path& layer) {
  STRATA_TRY(TreeRoot root, TreeRoot::open(layer));
  // A setgid bit would be inherited by what is made in it; finish() gives it its mode.
  if (::fchmod(root.fd(), 0700) < 0) return fail_errno("chmod " + layer.string());
  LayerWriter writer(std::move(root));
  writer.directories_[""].attributes.mode = 0755;
  return writer;
}

Result<void> LayerWriter::make_directory(int parent, const std::string& path) {
  const char* name = last_component(path);
  bool replaced = false;
  if (::mkdirat(parent, name, 0700) < 0) {
    if (errno != EEXIST) return fail_errno("create the directory");
    if (directories_.contains(path)) return {};
    STRATA_CHECK(remove(parent, path));
    if (::mkdirat(parent, name, 0700) < 0) return fail_errno("create the directory");
    replaced = true;
  }
  Directory made;
  made.attributes.mode = 0755;
  made.opaque = replaced;
  directories_.emplace(path, std::move(made));
  return {};
}

Result<int> LayerWriter::parent_of(std::string_view path) {
  const std::string_view parent = split_path(path).parent;
  const int fd = root_.directory(parent);
  if (fd >= 0) return fd;
  STRATA_CHECK(make_missing(parent));
  const int made = root_.directory(parent);
  if (made < 0) return fail_not_a_directory(parent, errno);
  return made;
}

// Makes `path` and what it lies in, as far as they are missing or hidden by a whiteout.
Result<void> LayerWriter::make_missing(std::string_view path) {
  for (size_t end = path.find('/');; end = path.find('/', end + 1)) {
    const std::string directory(path.substr(0, end));
    if (!directories_.contains(directory)) {
      const int parent = root_.directory(split_path(directory).parent);
      if (parent < 0) return fail_not_a_directory(split_path(directory).parent, errno);
      struct stat st {};
      const bool exists =
          ::fstatat(parent, last_component(directory), &st, AT_SYMLINK_NOFOLLOW) == 0;
      if (exists && !is_whiteout(st)) return fail_not_a_directory(directory, ENOTDIR);
      STRATA_CHECK(make_directory(parent, directory));
    }
    if (end == std::string_view::npos) return {};
  }
}

Result<void> LayerWriter::remove(int parent, const std::string& path) {
  const char* name = last_component(path);
  if (::unlinkat(parent, name, 0) == 0) return {};
  if (errno != EISDIR) return fail_errno("replace what an earlier entry made");
  // The directory's records go with it: they are all names from "path" to "path/…".
  directories_.erase(path);
  directories_.erase(directories_.lower_bound(path + '/'), directories_.lower_bound(path + '0'));
  root_.forget(path);
  return remove_tree(proc_path(parent, name));
}

template <class Make>
Result<void> LayerWriter::create(int parent, const std::string& path, const char* what, Make make) {
  if (make() == 0) return {};
  if (errno != EEXIST) return fail_errno(what);
  STRATA_CHECK(remove(parent, path));
  if (make() == 0) return {};
  return fail_errno(what);
}

Result<void> LayerWriter::add_directory(const std::string& path, Attributes attributes) {
  if (!path.empty()) {
    STRATA_TRY(const int parent, parent_of(path));
    STRATA_CHECK(make_directory(parent, path));
  }
  directories_.find(path)->second.attributes = std::move(attributes);
  return {};
}

Result<UniqueFd> LayerWriter::create_file(const std::string& path) {
  if (path.empty()) return fail(EINVAL, "the layer itself must be a directory");
  STRATA_TRY(const int parent, parent_of(path));
  UniqueFd file;
  STRATA_CHECK(create(parent, path, "create the file", [&] {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file.reset(::openat(parent, last_component(path), kFlags, 0600));
    return file ? 0 : -1;
  }));
  return file;
}

Result<void> LayerWriter::finish_file(UniqueFd file, const Attributes& attributes) {
  STRATA_CHECK(apply_attributes(file.get(), attributes));
  // Some file systems report a failed write only here.
  if (::close(file.release()) < 0 && errno != EINTR) return fail_errno("close");
  return {};
}

Result<void> LayerWriter::add_symlink(const std::string& path, const std::string& target,
                                      const Attributes& attributes) {
  if (path.empty()) return fail(EINVAL, "the layer itself must be a directory");
  STRATA_TRY(const int parent, parent_of(path));
  const char* name = last_component(path);
  STRATA_CHECK(create(parent, path, "create the symbolic link",
                      [&] { return ::symlinkat(target.c_str(), parent, name); }));
  return apply_attributes_at(parent, name, true, attributes);
}

Result<void> LayerWriter::add_special(const std::string& path, mode_t type, dev_t device,
                                      const Attributes& attributes) {
  if (path.empty()) return fail(EINVAL, "the layer itself must be a directory");
  if (type != S_IFIFO && device == 0) return fail(EINVAL, "device 0:0 is no device");
  STRATA_TRY(const int parent, parent_of(path));
  const char* name = last_component(path);
  STRATA_CHECK(create(parent, path, "create the device or FIFO",
                      [&] { return ::mknodat(parent, name, type | 0600, device); }));
  return apply_attributes_at(parent, name, false, attributes);
}

Result<void> LayerWriter::add_hard_link(const std::string& path, const std::string& target) {
  if (path.empty()) return fail(EINVAL, "the layer itself must be a directory");
  STRATA_TRY(const int parent, parent_of(path));
  const std::string target_parent(split_path(target).parent);
  const char* target_name = last_component(target);
  // Its own descriptor: `parent` is valid only until the next directory().
  const UniqueFd from = sys::open_beneath(
      root_.fd(), target_parent.empty() ? "." : target_parent.c_str(), O_PATH | O_DIRECTORY);
  struct stat to {};
  if (!from || ::fstatat(from.get(), target_name, &to, AT_SYMLINK_NOFOLLOW) < 0 || is_whiteout(to))
    return fail(EINVAL,
                "it is a hard link to " + in_quotes(target) + ", which is not in this layer");
  if (S_ISDIR(to.st_mode))
    return fail(EINVAL, "it is a hard link to " + in_quotes(target) + ", which is a directory");

  const char* name = last_component(path);
  struct stat old {};
  if (::fstatat(parent, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && old.st_ino == to.st_ino) return {};
  auto linked = create(parent, path, "create the hard link",
                       [&] { return ::linkat(from.get(), target_name, parent, name, 0); });
  if (!linked && linked.error().code == ENOENT)
    return fail(EINVAL, "it is a hard link to " + in_quotes(target) + ", which it replaces");
  return linked;
}

Result<void> LayerWriter::add_whiteout(const std::string& path) {
  STRATA_TRY(const int parent, parent_of(path));
  if (::mknodat(parent, last_component(path), S_IFCHR, 0) == 0) return {};
  if (errno != EEXIST) return fail_errno("create the whiteout");
  // What this layer has of that name hides a lower file anyway; a directory would let it through.
  if (const auto found = directories_.find(path); found != directories_.end())
    found->second.opaque = true;
  return {};
}

Result<void> LayerWriter::add_opaque(const std::string& directory) {
  if (!directories_.contains(directory)) STRATA_CHECK(make_missing(directory));
  directories_.find(directory)->second.opaque = true;
  return {};
}

// From the leaves to the root: a directory that denies search must not bar the way to others.
Result<void> LayerWriter::finish() {
  for (auto it = directories_.rbegin(); it != directories_.rend(); ++it) {
    const std::string& path = it->first;
    const UniqueFd fd =
        sys::open_beneath(root_.fd(), path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd) return fail_errno("open directory " + in_quotes(path));
    Directory& directory = it->second;
    if (directory.opaque) directory.attributes.xattrs.push_back({kTrustedXattrs.opaque, "y"});
    if (auto applied = apply_attributes(fd.get(), directory.attributes); !applied)
      return fail_in("directory " + in_quotes(path), std::move(applied).error());
  }
  return {};
}

}  // namespace strata::unionfs::tar
