#include "unionfs/erofs/writer.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "unionfs/erofs/crc32c.h"
#include "unionfs/erofs/format.h"
#include "unionfs/erofs/metadata_blocks.h"
#include "unionfs/erofs/tree.h"
#include "unionfs/erofs/xattrs.h"

namespace strata::unionfs::erofs {
namespace {

using index::Record;

// Where an inode and what belongs to it stand in the image.
struct Place {
  uint64_t offset = 0;
  uint64_t xattrs = 0;  // in Writer::xattrs_
  uint32_t xattrs_size = 0;
  uint32_t tail = 0;    // bytes behind the attributes
  uint32_t blocks = 0;  // of its own
  uint32_t first_block = 0;
  uint64_t size = 0;
};

// Chunks as large as the whole file, as far as the format goes.
unsigned chunk_bits(uint64_t size) {
  return std::clamp(static_cast<unsigned>(std::bit_width(size - 1)), kBlockBits, kMaxChunkBits);
}

uint64_t chunk_count(uint64_t size) {
  return ((size - 1) >> chunk_bits(size)) + 1;
}

// include/linux/kdev_t.h: new_encode_dev
uint32_t encoded_device(dev_t device) {
  return (minor(device) & 0xff) | (major(device) << 8) | ((minor(device) & ~0xffU) << 12);
}

// include/linux/fs_types.h: FT_*
uint8_t file_type(uint32_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 1;
    case S_IFDIR:
      return 2;
    case S_IFCHR:
      return 3;
    case S_IFBLK:
      return 4;
    case S_IFIFO:
      return 5;
    case S_IFSOCK:
      return 6;
    case S_IFLNK:
      return 7;
    default:
      return 0;
  }
}

// The names of one directory block.
struct DirectoryBlock {
  std::span<const Name> names;
  uint64_t size = 0;
};

std::vector<DirectoryBlock> directory_blocks(std::span<const Name> names) {
  std::vector<DirectoryBlock> blocks;
  size_t first = 0;
  uint64_t size = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    const uint64_t more = sizeof(DirectoryEntry) + names[i].text.size();
    if (size + more > kBlockSize) {
      blocks.push_back({names.subspan(first, i - first), size});
      first = i;
      size = 0;
    }
    size += more;
  }
  blocks.push_back({names.subspan(first), size});
  return blocks;
}

class Writer {
 public:
  Writer(const index::Index& index, const ImageOptions& options)
      : index_(index), options_(options) {}

  Result<std::vector<std::byte>> run() {
    STRATA_TRY(tree_, collect_tree(index_));
    STRATA_CHECK(lay_out());
    image_.resize(data_start_ + blocks_ * kBlockSize);
    for (uint32_t i = 0; i < places_.size(); ++i) {
      if (auto written = write(i); !written)
        return fail_in(path_in_layer(*tree_.inodes[i].record), std::move(written).error());
    }
    write_super_block();
    return std::move(image_);
  }

 private:
  Result<void> lay_out() {
    places_.reserve(tree_.inodes.size());
    MetadataBlocks metadata;
    for (uint32_t i = 0; i < tree_.inodes.size(); ++i) {
      const Record& record = *tree_.inodes[i].record;
      Place place;
      if (auto added = add_xattrs(record, place); !added)
        return fail_in(path_in_layer(record), std::move(added).error());
      add_content(i, place);
      place.offset = metadata.take(sizeof(Inode) + place.xattrs_size + place.tail);
      place.first_block = static_cast<uint32_t>(blocks_);
      blocks_ += place.blocks;
      places_.push_back(place);
    }
    data_start_ = metadata.end();
    if (data_start_ / kBlockSize + blocks_ > std::numeric_limits<uint32_t>::max())
      return fail(EFBIG, "the tree is too big for an EROFS image");
    return {};
  }

  Result<void> add_xattrs(const Record& record, Place& place) {
    place.xattrs = xattrs_.size();
    STRATA_TRY(const std::string redirect, redirect_of(record));
    STRATA_CHECK(append_xattrs(xattrs_, record, redirect));
    place.xattrs_size = static_cast<uint32_t>(xattrs_.size() - place.xattrs);
    return {};
  }

  // The Record that has the content.
  Result<const Record*> content_of(const Record& record) const {
    const Record* content = record.data ? index_.record(record.data) : &record;
    if (content == nullptr || content->layer >= options_.layer_roots.size())
      return fail(EBADMSG, "the index doesn't say where its content is");
    return content;
  }

  // The absolute path in the data layer, "" for files whose content isn't there.
  Result<std::string> redirect_of(const Record& record) const {
    if (!is_elsewhere(record)) return std::string();
    STRATA_TRY(const Record* data, content_of(record));
    std::string path = options_.layer_roots[data->layer] + "/" + path_in_layer(*data);
    if (path.size() >= PATH_MAX) return fail(ENAMETOOLONG, "the path of its content is too long");
    return path;
  }

  void add_content(uint32_t i, Place& place) {
    const Record& record = *tree_.inodes[i].record;
    if (S_ISDIR(record.mode)) {
      const auto names = directory_names(tree_, i);
      const auto blocks = directory_blocks(names);
      place.size = (blocks.size() - 1) * kBlockSize + blocks.back().size;
    } else if (S_ISLNK(record.mode)) {
      place.size = record.target_length;
    } else if (is_inline(record)) {
      place.size = record.size;
    } else if (is_elsewhere(record)) {
      place.size = record.size;
      place.tail = static_cast<uint32_t>(chunk_count(record.size) * sizeof(uint32_t));
      return;
    }
    place.tail = static_cast<uint32_t>(place.size % kBlockSize);
    place.blocks = static_cast<uint32_t>(place.size / kBlockSize);
    // More than half a block inline would leave holes between inodes.
    if (place.tail > kBlockSize / 2 ||
        sizeof(Inode) + place.xattrs_size + place.tail > kBlockSize) {
      place.tail = 0;
      ++place.blocks;
    }
  }

  Result<void> write(uint32_t i) {
    const Place& place = places_[i];
    const Record& record = *tree_.inodes[i].record;
    Inode inode = inode_of(i);
    put(place.offset, &inode, sizeof inode);
    const uint64_t xattrs = place.offset + sizeof inode;
    put(xattrs, xattrs_.data() + place.xattrs, place.xattrs_size);
    const uint64_t tail = xattrs + place.xattrs_size;
    if (S_ISDIR(record.mode)) {
      write_directory(i, tail);
    } else if (S_ISLNK(record.mode)) {
      put(content_at(place, tail, 0), target_of(record).data(), record.target_length);
    } else if (is_inline(record)) {
      STRATA_TRY(const Record* content, content_of(record));
      STRATA_TRY(const std::string bytes, options_.read(*content));
      if (bytes.size() != record.size) return fail(ESTALE, "its size is another one now");
      put(content_at(place, tail, 0), bytes.data(), bytes.size());
    } else if (place.tail > 0) {
      std::memset(image_.data() + tail, 0xff, place.tail);  // kNoBlock
    }
    return {};
  }

  Inode inode_of(uint32_t i) const {
    const Place& place = places_[i];
    const Record& record = *tree_.inodes[i].record;
    Inode inode{};
    Layout layout = place.tail > 0 ? Layout::kInline : Layout::kPlain;
    if (place.blocks > 0)
      inode.place = static_cast<uint32_t>(data_start_ / kBlockSize + place.first_block);
    if (S_ISCHR(record.mode) || S_ISBLK(record.mode)) inode.place = encoded_device(record.device);
    if (is_elsewhere(record)) {
      layout = Layout::kChunks;
      inode.place = chunk_bits(record.size) - kBlockBits;
    }
    inode.format = static_cast<uint16_t>(kExtendedInode |
                                         static_cast<unsigned>(std::to_underlying(layout)) << 1);
    if (place.xattrs_size > 0)
      inode.xattr_count =
          static_cast<uint16_t>(1 + (place.xattrs_size - sizeof(XattrHeader)) / sizeof(uint32_t));
    inode.mode = static_cast<uint16_t>(record.mode);
    inode.size = place.size;
    inode.number = i + 1;
    inode.uid = record.uid;
    inode.gid = record.gid;
    inode.mtime_seconds = static_cast<uint64_t>(record.mtime_seconds);
    inode.mtime_nanoseconds = record.mtime_nanoseconds;
    inode.links = tree_.inodes[i].links;
    return inode;
  }

  void write_directory(uint32_t i, uint64_t tail) {
    const auto names = directory_names(tree_, i);
    const auto blocks = directory_blocks(names);
    for (size_t block = 0; block < blocks.size(); ++block)
      write_names(blocks[block].names, content_at(places_[i], tail, block));
  }

  void write_names(std::span<const Name> names, uint64_t offset) {
    uint64_t text = names.size() * sizeof(DirectoryEntry);
    for (size_t i = 0; i < names.size(); ++i) {
      const Name& name = names[i];
      const DirectoryEntry entry{.nid = nid_of(name.inode),
                                 .name_offset = static_cast<uint16_t>(text),
                                 .type = file_type(tree_.inodes[name.inode].record->mode)};
      put(offset + i * sizeof entry, &entry, sizeof entry);
      put(offset + text, name.text.data(), name.text.size());
      text += name.text.size();
    }
  }

  // Where block `block` of the content stands, the last one perhaps inline at `tail`.
  uint64_t content_at(const Place& place, uint64_t tail, size_t block) const {
    if (block >= place.blocks) return tail;
    return data_start_ + (place.first_block + block) * kBlockSize;
  }

  uint64_t nid_of(uint32_t inode) const { return places_[inode].offset / kSlotSize; }

  void write_super_block() {
    SuperBlock super{};
    super.magic = kSuperMagic;
    super.feature_compat = kChecksum | kOwnTimes | kXattrFilter;
    super.feature_incompat = kChunkedFiles;
    super.block_bits = kBlockBits;
    super.root_nid = static_cast<uint16_t>(nid_of(0));
    super.inodes = places_.size();
    super.blocks = static_cast<uint32_t>(image_.size() / kBlockSize);
    const index::Checksum identity = index_.identity();
    static_assert(sizeof identity == sizeof super.uuid);
    std::memcpy(super.uuid, &identity, sizeof identity);
    put(kSuperOffset, &super, sizeof super);
    super.checksum =
        crc32c(~0U, std::span(image_).subspan(kSuperOffset, kBlockSize - kSuperOffset));
    put(kSuperOffset, &super, sizeof super);
  }

  void put(uint64_t offset, const void* data, size_t size) {
    if (size > 0) std::memcpy(image_.data() + offset, data, size);
  }

  const index::Index& index_;
  const ImageOptions& options_;
  Tree tree_;
  std::vector<Place> places_;
  std::string xattrs_;
  uint64_t data_start_ = 0;
  uint64_t blocks_ = 0;  // of inodes, from data_start_
  std::vector<std::byte> image_;
};

}  // namespace

bool is_inline(const Record& record) {
  return S_ISREG(record.mode) && record.size > 0 && record.size <= kMaxInlineContent;
}

bool is_elsewhere(const Record& record) {
  return S_ISREG(record.mode) && record.size > kMaxInlineContent;
}

Result<std::vector<std::byte>> write_image(const index::Index& index, const ImageOptions& options) {
  if (index.root() == nullptr) return fail(EINVAL, "an image needs at least one layer");
  if (options.layer_roots.size() != index.size())
    return fail(EINVAL, "an image needs to know where each layer stands");
  return Writer(index, options).run();
}

}  // namespace strata::unionfs::erofs
