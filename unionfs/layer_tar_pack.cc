// pack_layer() and pack_tree(): a walk over a directory tree, each file into an EntryPacker.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/files/list_names.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/layer_tar.h"
#include "unionfs/overlay_xattrs.h"
#include "unionfs/sys/openat2.h"
#include "unionfs/sys/xattr_at.h"
#include "unionfs/tar/archive_writer.h"
#include "unionfs/tar/entry_packer.h"
#include "unionfs/tar/tree_root.h"

namespace strata::unionfs {
namespace {

using tar::in_entry;

enum class TreeKind {
  kLayer,   // whiteouts and opaque directories mean something
  kMerged,  // they can't be
};

class Packer {
 public:
  Packer(tar::TreeRoot& root, tar::ArchiveWriter& writer, TreeKind kind)
      : root_(root), writer_(writer), entries_(writer, tar::OtherLayers::kRefused), kind_(kind) {}

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
    return entries_.stats();
  }

 private:
  struct Listing {
    std::string path;
    std::vector<std::string> names;
    size_t next = 0;
  };

  Result<void> add(const std::string& path) {
    const auto [parent_path, name_view] = split_path(path);
    if (kind_ == TreeKind::kLayer) STRATA_CHECK(tar::check_layer_name(name_view));
    const std::string name(name_view);
    const int parent = root_.directory(parent_path);
    if (parent < 0) return fail_errno("open its directory");
    struct stat st {};
    if (::fstatat(parent, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) return fail_errno("stat");
    if (S_ISDIR(st.st_mode)) return add_directory(path);
    if (is_whiteout(parent, name, st)) {
      if (kind_ == TreeKind::kMerged) return fail(EINVAL, "a whiteout in a merged tree");
      return entries_.add_whiteout(path);
    }
    return entries_.add(path, parent, name);
  }

  static bool is_whiteout(int parent, const std::string& name, const struct stat& st) {
    if (S_ISCHR(st.st_mode)) return st.st_rdev == 0;
    return S_ISREG(st.st_mode) && st.st_size == 0 &&
           sys::get_xattr_at(parent, name.c_str(), kTrustedXattrs.whiteout, nullptr, 0) >= 0;
  }

  Result<void> add_directory(const std::string& path) {
    const UniqueFd fd =
        sys::open_beneath(root_.fd(), path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY);
    if (!fd) return fail_errno("open the directory");
    STRATA_CHECK(entries_.add_directory(path, fd.get()));
    char opaque = 0;
    if (kind_ == TreeKind::kLayer &&
        ::fgetxattr(fd.get(), kTrustedXattrs.opaque, &opaque, 1) == 1 && opaque == 'y')
      STRATA_CHECK(entries_.add_opaque_marker(path));
    STRATA_TRY(std::vector<std::string> names, list_names(fd.get()));
    std::ranges::sort(names);
    open_.push_back({path, std::move(names)});
    return {};
  }

  tar::TreeRoot& root_;
  tar::ArchiveWriter& writer_;
  tar::EntryPacker entries_;
  TreeKind kind_;
  std::vector<Listing> open_;
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
