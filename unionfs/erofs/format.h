// EROFS on disk (the kernel's fs/erofs/erofs_fs.h): the parts that an uncompressed image of
// metadata needs. All numbers are little-endian.
//
// Thread rule: plain values.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace strata::unionfs::erofs {

static_assert(std::endian::native == std::endian::little, "EROFS images are written as memory is");

inline constexpr unsigned kBlockBits = 12;
inline constexpr uint64_t kBlockSize = uint64_t{1} << kBlockBits;
inline constexpr uint64_t kSlotSize = 32;  // inodes are named by their slot: nid
inline constexpr uint64_t kSuperOffset = 1024;
inline constexpr size_t kMaxName = 255;

inline constexpr uint32_t kSuperMagic = 0xe0f5e1e2;

// SuperBlock::feature_compat
inline constexpr uint32_t kChecksum = 1;     // `checksum` is one
inline constexpr uint32_t kOwnTimes = 2;     // inodes have their own modification time
inline constexpr uint32_t kXattrFilter = 4;  // XattrHeader::name_filter is one

// SuperBlock::feature_incompat
inline constexpr uint32_t kChunkedFiles = 4;

struct SuperBlock {
  uint32_t magic;
  uint32_t checksum;  // CRC-32C of the rest of the first block with this field zero, not inverted
  uint32_t feature_compat;
  uint8_t block_bits;
  uint8_t extension_slots;
  uint16_t root_nid;
  uint64_t inodes;
  uint64_t build_time;
  uint32_t build_time_nanoseconds;
  uint32_t blocks;
  uint32_t meta_block;   // nids count slots from here
  uint32_t xattr_block;  // of shared attributes
  uint8_t uuid[16];
  char volume_name[16];
  uint32_t feature_incompat;
  uint16_t compression;
  uint16_t extra_devices;
  uint16_t device_slot;
  uint8_t directory_block_bits;
  uint8_t xattr_prefixes;
  uint32_t xattr_prefix_start;
  uint64_t packed_nid;
  uint8_t xattr_filter_reserved;
  uint8_t reserved[23];
};

// Where a file's content lies: SuperBlock's "data layout", bits 1 to 3 of Inode::format.
enum class Layout : uint16_t {
  kPlain = 0,   // in blocks from Inode::place
  kInline = 2,  // the last part, if it isn't a whole block, behind the inode and its attributes
  kChunks = 4,  // an array of chunks' block numbers there
};

inline constexpr uint16_t kExtendedInode = 1;  // bit 0 of Inode::format

// The long form of an inode, 64 bytes.
struct Inode {
  uint16_t format;
  uint16_t xattr_count;  // 0, or words of attributes: 1 for the header, 1 for each 4 bytes behind
  uint16_t mode;
  uint16_t reserved;
  uint64_t size;
  uint32_t place;  // a block, a device number, or the size of chunks
  uint32_t number;
  uint32_t uid;
  uint32_t gid;
  uint64_t mtime_seconds;
  uint32_t mtime_nanoseconds;
  uint32_t links;
  uint8_t reserved2[16];
};

// Chunks of 1 << (kBlockBits + n) bytes have n as Inode::place.
inline constexpr unsigned kMaxChunkBits = kBlockBits + 31;
inline constexpr uint32_t kNoBlock = 0xffffffff;  // a chunk that is a hole

struct XattrHeader {
  uint32_t name_filter;  // bits of names that are not there
  uint8_t shared;
  uint8_t reserved[7];
};

// Followed by the name without the prefix that `prefix` stands for, and the value; padded to 4.
struct XattrEntry {
  uint8_t name_length;
  uint8_t prefix;
  uint16_t value_size;
};

inline constexpr uint32_t kXattrFilterSeed = 0x25bbe08f;
inline constexpr uint16_t kMaxXattrWords = 0xffff;

// A directory's content: blocks of entries in byte order of their names, "." and ".." among them;
// in each block first the fixed parts, then the names. A name ends where the next begins, the last
// one of a block at a NUL or the block's end.
#pragma pack(push, 1)
struct DirectoryEntry {
  uint64_t nid;
  uint16_t name_offset;
  uint8_t type;
  uint8_t reserved;
};
#pragma pack(pop)

static_assert(sizeof(SuperBlock) == 128 && sizeof(Inode) == 64 && sizeof(XattrHeader) == 12 &&
              sizeof(XattrEntry) == 4 && sizeof(DirectoryEntry) == 12);

}  // namespace strata::unionfs::erofs
