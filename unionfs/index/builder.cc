#include "unionfs/index/builder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/files/list_names.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/index/merge.h"
#include "unionfs/index/trie_writer.h"
#include "unionfs/layer_entry.h"
#include "unionfs/sys/openat2.h"

namespace strata::unionfs::index {
namespace {

std::string encode(const std::vector<Xattr>& xattrs) {
  std::string out;
  for (const auto& [name, value] : xattrs) {
    const auto name_length = static_cast<uint16_t>(name.size());
    const auto value_length = static_cast<uint32_t>(value.size());
    out.append(reinterpret_cast<const char*>(&name_length), sizeof name_length);
    out.append(reinterpret_cast<const char*>(&value_length), sizeof value_length);
    out.append(name).append(value);
  }
  return out;
}

class Builder {
 public:
  Builder(const Index& below, int layer, const OverlayXattrs& names)
      : below_(below),
        layer_(layer),
        names_(names),
        number_(static_cast<uint32_t>(below.size())),
        out_(number_) {}

  Result<std::vector<std::byte>> run() {
    STRATA_TRY(LayerEntry root, read_layer_root(layer_, names_));
    // The roots of all layers are merged, whatever they say (fs/overlayfs/super.c: ovl_get_root).
    STRATA_TRY(const Written written, add_directory(root, "", below_.root()));
    if (out_.is_too_big()) return fail(EFBIG, "the layer is too big to be indexed");
    Header header{};
    header.parent = below_.identity();
    header.layer_inode = root.status.st_ino;
    header.layer_ctime_seconds = root.status.st_ctim.tv_sec;
    header.layer_ctime_nanoseconds = static_cast<uint32_t>(root.status.st_ctim.tv_nsec);
    header.flags = &names_ == &kUserXattrs ? kReadUserXattrs : 0;
    header.root = written.ref;
    return std::move(out_).finish(header);
  }

 private:
  struct Written {
    Ref ref;
    uint64_t names = 1;  // in the subtree
  };

  // The Ref of a Record of the layers below.
  Ref ref_of(const Record& record) const {
    const auto* at = reinterpret_cast<const std::byte*>(&record);
    const auto bytes = below_.segment(record.layer).bytes();
    return {record.layer, static_cast<uint64_t>(at - bytes.data())};
  }

  // `path` is the directory's in the layer, `lower` what it continues (nullptr: nothing).
  Result<Written> add_directory(const LayerEntry& entry, const std::string& path,
                                const Record* lower) {
    STRATA_TRY(const std::vector<LayerEntry> entries, read(entry, path));
    uint64_t names = lower == nullptr ? 1 : lower->size;
    std::vector<Change> changes;
    changes.reserve(entries.size());
    for (const LayerEntry& child : entries) {
      const Record* below = lower == nullptr ? nullptr : below_.child(*lower, child.name);
      Written written;
      if (child.is_whiteout) {
        written.names = 0;
      } else {
        STRATA_TRY(written, add(child, path, lower, below));
      }
      names = names - names_in(below) + written.names;
      if (written.ref || below != nullptr)
        changes.push_back({hash_of(child.name), child.name, written.ref});
    }
    const Ref children =
        write_trie(out_, below_, lower == nullptr ? Ref() : lower->children, std::move(changes));
    Record record = record_of(entry);
    record.children = children;
    record.size = names;
    record.flags = lower == nullptr ? 0 : kMerged;
    return Written{write(record, entry, split_path(path).parent), names};
  }

  Result<Written> add(const LayerEntry& entry, const std::string& directory, const Record* parent,
                      const Record* below) {
    if (S_ISDIR(entry.status.st_mode)) {
      return add_directory(entry, join_path(directory, entry.name),
                           lower_directory(below_, entry, parent, below));
    }
    Record record = record_of(entry);
    if (entry.is_metacopy) {
      auto file = lower_file(below_, entry, parent, below);
      if (!file) return fail_in("directory " + directory, std::move(file).error());
      record.data = (*file)->data ? (*file)->data : ref_of(**file);
    }
    return Written{write(record, entry, directory)};
  }

  Result<std::vector<LayerEntry>> read(const LayerEntry& directory, const std::string& path) const {
    const UniqueFd fd = sys::open_beneath(layer_, path.empty() ? "." : path.c_str(),
                                          O_RDONLY | O_DIRECTORY | O_NOATIME);
    if (!fd) return fail_errno("open directory " + path);
    auto names = list_names(fd.get());
    if (!names) return fail_in("directory " + path, std::move(names).error());
    std::vector<LayerEntry> entries;
    entries.reserve(names->size());
    for (std::string& name : *names) {
      auto entry =
          read_layer_entry(fd.get(), std::move(name), directory.holds_xattr_whiteouts, names_);
      if (!entry) return fail_in("directory " + path, std::move(entry).error());
      entries.push_back(*std::move(entry));
    }
    return entries;
  }

  Record record_of(const LayerEntry& entry) const {
    const struct stat& st = entry.status;
    return {
        .inode = st.st_ino,
        .size = static_cast<uint64_t>(st.st_size),
        .mtime_seconds = st.st_mtim.tv_sec,
        .device = st.st_rdev,
        .mtime_nanoseconds = static_cast<uint32_t>(st.st_mtim.tv_nsec),
        .mode = st.st_mode,
        .uid = st.st_uid,
        .gid = st.st_gid,
        .layer = number_,
        .links = S_ISDIR(st.st_mode) ? 1 : static_cast<uint32_t>(st.st_nlink),
    };
  }

  Ref write(Record record, const LayerEntry& entry, std::string_view directory) {
    const std::string xattrs = encode(entry.xattrs);
    record.name_length = static_cast<uint16_t>(entry.name.size());
    record.directory_length = static_cast<uint32_t>(directory.size());
    record.target_length = static_cast<uint32_t>(entry.target.size());
    record.xattrs_size = static_cast<uint32_t>(xattrs.size());
    auto [ref, at] = out_.allocate(sizeof record + record_text_size(record));
    std::memcpy(at, &record, sizeof record);
    char* text = reinterpret_cast<char*>(at + sizeof record);
    for (const std::string_view part : {std::string_view(entry.name), directory,
                                        std::string_view(entry.target), std::string_view(xattrs)}) {
      text = std::copy(part.begin(), part.end(), text) + 1;
    }
    return ref;
  }

  static uint64_t names_in(const Record* record) {
    if (record == nullptr) return 0;
    return S_ISDIR(record->mode) ? record->size : 1;
  }

  const Index& below_;
  int layer_;
  const OverlayXattrs& names_;
  uint32_t number_;
  SegmentBuffer out_;
};

}  // namespace

Result<std::shared_ptr<const Segment>> build_segment(const Index& below, int layer,
                                                     const OverlayXattrs& names) {
  STRATA_TRY(std::vector<std::byte> bytes, Builder(below, layer, names).run());
  return Segment::from(std::move(bytes), "in memory");
}

bool is_of_layer(const Segment& segment, const struct stat& root, const OverlayXattrs& names) {
  const Header& header = segment.header();
  return header.layer_inode == root.st_ino && header.layer_ctime_seconds == root.st_ctim.tv_sec &&
         header.layer_ctime_nanoseconds == root.st_ctim.tv_nsec &&
         header.flags == (&names == &kUserXattrs ? kReadUserXattrs : 0);
}

}  // namespace strata::unionfs::index
