// pack_layer() and pack_tree(): a walk over a directory tree, each entry into an ArchiveWriter.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/files/read_attributes.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/layer_tar.h"
#include "unionfs/overlay_xattrs.h"
#include "unionfs/sys/openat2.h"
#include "unionfs/tar/archive_writer.h"
#include "unionfs/tar/entry_name.h"
#include "unionfs/tar/tree_root.h"

namespace strata::unionfs {
namespace {

using tar::PackEntry;

enum class TreeKind {
  kLayer,   // whiteouts and opaque directories mean something
  kMerged,  // they can't be
};

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

const std::string* find_xattr(const std::vector<Xattr>& xattrs, std::string_view name) {
  const auto found = std::ranges::find(xattrs, name, &Xattr::name);
  return found == xattrs.end() ? nullptr : &found->value;
}

class Packer {
 public:
  Packer(tar::TreeRoot& root, tar::ArchiveWriter& writer, TreeKind kind)
      : root_(root), writer_(writer), kind_(kind), buffer_(kBufferSize) {}

  // Depth first; a directory's entries in the byte order of their names. The walk keeps names, not
  // descriptors: a container can make trees deeper than there are descriptors.
  Result<LayerStats> run() {
    STRATA_CHECK(in_entry("", add_directory("")));
    while (!open_.empty()) {
      Listing& listing = open_.back();
      if (listing.next == listing.names.size()) {
        open_.pop_back();
        continue;
      }
      const std::string path = join_path(listing.path, listing.names[listing.next++]);
      STRATA_CHECK(in_entry(path, add(path)));
    }
    STRATA_CHECK(writer_.close());
    return stats_;
  }

 private:
  static constexpr size_t kBufferSize = size_t{256} << 10;

  struct Listing {
    std::string path;
    std::vector<std::string> names;
    size_t next = 0;
  };

  static Result<void> in_entry(const std::string& path, Result<void> result) {
    if (result) return result;
    return fail_in("pack " + tar::in_quotes(path.empty() ? "." : path), std::move(result).error());
  }

  Result<void> add(const std::string& path) {
    if (kind_ == TreeKind::kLayer && split_path(path).name.starts_with(tar::kWhiteoutPrefix))
      return fail(EINVAL, "in a layer's tar the name would mean a whiteout");
    const auto [parent_path, name_view] = split_path(path);
    const std::string name(name_view);
    const int parent = root_.directory(parent_path);
    if (parent < 0) return fail_errno("open its directory");
    struct stat st {};
    if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) return fail_errno("stat");
    if (S_ISSOCK(st.st_mode)) return {};
    if (S_ISCHR(st.st_mode) && st.st_rdev == 0) return add_whiteout(path);
    if (S_ISDIR(st.st_mode)) return add_directory(path);
    if (!S_ISREG(st.st_mode)) return add_special(path, parent, name, st);
    return add_file(path, parent, name);
  }

  // Marker files of the tar: empty, root's, of the epoch.
  Result<void> add_marker(std::string name) {
    PackEntry marker;
    marker.name = std::move(name);
    marker.attributes.mode = 0600;
    ++stats_.entries;
    ++stats_.whiteouts;
    return writer_.write_header(marker);
  }

  Result<void> add_whiteout(const std::string& path) {
    if (kind_ == TreeKind::kMerged) return fail(EINVAL, "a whiteout in a merged tree");
    const auto [parent, name] = split_path(path);
    return add_marker(join_path(parent, std::string(tar::kWhiteoutPrefix) + std::string(name)));
  }

  Result<void> add_directory(const std::string& path) {
    const UniqueFd fd = tar_open(path.empty() ? "." : path, O_RDONLY | O_DIRECTORY);
    struct stat st {};
    if (!fd || ::fstat(fd.get(), &st) < 0) return fail_errno("open the directory");
    PackEntry entry;
    entry.name = path.empty() ? "./" : path + "/";
    entry.type = S_IFDIR;
    entry.attributes = attributes_of(st);
    STRATA_TRY(entry.attributes.xattrs, read_xattrs(fd.get()));
    const std::string* opaque = find_xattr(entry.attributes.xattrs, kTrustedXattrs.opaque);
    const bool is_opaque = opaque != nullptr && *opaque == "y";
    STRATA_CHECK(drop_overlay_xattrs(entry.attributes.xattrs));
    ++stats_.entries;
    STRATA_CHECK(writer_.write_header(entry));
    if (is_opaque && kind_ == TreeKind::kLayer)
      STRATA_CHECK(add_marker(join_path(path, tar::kOpaqueMarker)));
    return list(fd.get(), path);
  }

  Result<void> list(int fd, const std::string& path) {
    const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(::fcntl(fd, F_DUPFD_CLOEXEC, 0)));
    if (!dir) return fail_errno("read the directory");
    Listing listing{.path = path};
    errno = 0;
    while (const dirent* entry = ::readdir(dir.get())) {
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0)
        listing.names.emplace_back(entry->d_name);
    }
    if (errno != 0) return fail_errno("read the directory");
    std::ranges::sort(listing.names);
    open_.push_back(std::move(listing));
    return {};
  }

  Result<void> add_special(const std::string& path, int parent, const std::string& name,
                           const struct stat& st) {
    if (auto linked = add_if_linked(path, st)) return *std::move(linked);
    PackEntry entry;
    entry.name = path;
    entry.type = st.st_mode & S_IFMT;
    entry.device = st.st_rdev;
    entry.attributes = attributes_of(st);
    STRATA_TRY(entry.attributes.xattrs, read_xattrs(parent, name));
    STRATA_CHECK(drop_overlay_xattrs(entry.attributes.xattrs));
    if (S_ISLNK(st.st_mode)) {
      entry.link.resize(PATH_MAX);
      const ssize_t length =
          ::readlinkat(parent, name.c_str(), entry.link.data(), entry.link.size());
      if (length < 0) return fail_errno("read the symbolic link");
      entry.link.resize(static_cast<size_t>(length));
    }
    ++stats_.entries;
    return writer_.write_header(entry);
  }

  // The second and further names of an inode become hard links to the first. nullopt: this is the
  // first.
  std::optional<Result<void>> add_if_linked(const std::string& path, const struct stat& st) {
    if (st.st_nlink < 2) return std::nullopt;
    const auto [first, is_new] = first_names_.try_emplace({st.st_dev, st.st_ino}, path);
    if (is_new) return std::nullopt;
    PackEntry entry;
    entry.name = path;
    entry.type = st.st_mode & S_IFMT;
    entry.attributes = attributes_of(st);
    entry.link = first->second;
    entry.is_hard_link = true;
    ++stats_.entries;
    return writer_.write_header(entry);
  }

  Result<void> add_file(const std::string& path, int parent, const std::string& name) {
    // Opened before it is believed to be a file: whoever changes the tree meanwhile must not make
    // us open a device (O_NONBLOCK: or wait for a FIFO's writer).
    const UniqueFd fd(
        ::openat(parent, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat st {};
    if (!fd || ::fstat(fd.get(), &st) < 0) return fail_errno("open");
    if (!S_ISREG(st.st_mode)) return fail(EBUSY, "it was replaced meanwhile");
    PackEntry entry;
    entry.name = path;
    entry.attributes = attributes_of(st);
    STRATA_TRY(entry.attributes.xattrs, read_xattrs(fd.get()));
    if (find_xattr(entry.attributes.xattrs, kTrustedXattrs.whiteout) != nullptr)
      return add_whiteout(path);
    STRATA_CHECK(drop_overlay_xattrs(entry.attributes.xattrs));
    if (auto linked = add_if_linked(path, st)) return *std::move(linked);
    entry.size = static_cast<uint64_t>(st.st_size);
    if (tar::can_be_sparse(path)) {
      STRATA_TRY(entry.extents, read_extents(fd.get(), st));
    }
    ++stats_.entries;
    stats_.bytes += entry.size;
    STRATA_CHECK(writer_.write_header(entry));
    if (entry.extents.empty()) return add_content(fd.get(), {0, entry.size});
    return add_sparse_content(fd.get(), entry);
  }

  Result<void> add_content(int fd, Extent extent) {
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
  Result<void> add_sparse_content(int fd, const PackEntry& entry) {
    uint64_t at = 0;
    for (const Extent& extent : entry.extents) {
      STRATA_CHECK(skip_hole(extent.offset - at));
      STRATA_CHECK(add_content(fd, extent));
      at = extent.offset + extent.length;
    }
    return skip_hole(entry.size - at);
  }

  Result<void> skip_hole(uint64_t length) {
    while (length > 0) {
      const size_t count = std::min<uint64_t>(length, buffer_.size());
      STRATA_CHECK(writer_.write_data(std::span(buffer_).first(count)));
      length -= count;
    }
    return {};
  }

  // Overlayfs's own attributes are no content; two of them say that the rest is elsewhere.
  static Result<void> drop_overlay_xattrs(std::vector<Xattr>& xattrs) {
    for (const char* refers : {kTrustedXattrs.redirect, kTrustedXattrs.metacopy}) {
      if (find_xattr(xattrs, refers) != nullptr)
        return fail(EINVAL,
                    std::string("it refers to another layer by ") + refers + ", and a tar can't");
    }
    std::erase_if(xattrs, [](const Xattr& xattr) { return is_overlay_xattr(xattr.name); });
    return {};
  }

  UniqueFd tar_open(const std::string& path, int flags) {
    return sys::open_beneath(root_.fd(), path.c_str(), flags);
  }

  tar::TreeRoot& root_;
  tar::ArchiveWriter& writer_;
  TreeKind kind_;
  std::vector<std::byte> buffer_;
  std::vector<Listing> open_;
  std::map<std::pair<dev_t, ino_t>, std::string> first_names_;
  LayerStats stats_;
};

Result<LayerStats> pack(const std::filesystem::path& path, ByteSink& sink, TreeKind kind) {
  STRATA_TRY(tar::TreeRoot root, tar::TreeRoot::open(path));
  STRATA_TRY(const std::unique_ptr<tar::ArchiveWriter> writer, tar::ArchiveWriter::open(sink));
  return Packer(root, *writer, kind).run();
}

}  // namespace

Result<LayerStats> pack_layer(const std::filesystem::path& layer, ByteSink& sink) {
  return pack(layer, sink, TreeKind::kLayer);
}

Result<LayerStats> pack_tree(const std::filesystem::path& root, ByteSink& sink) {
  return pack(root, sink, TreeKind::kMerged);
}

}  // namespace strata::unionfs
