// The index of a layer stack on disk: FORMAT.md tells it in words.
//
// One file (a *segment*) a layer. A segment holds what its layer changes in the merged tree of the
// layers below and refers to the rest in their segments, so that a layer on top of an indexed stack
// costs only what it holds. The merged tree is persistent (in the sense of functional data
// structures): each directory is a hash trie of its own; a layer writes new nodes for what it
// touches and shares all others. Two rules of overlayfs are then no special cases: an opaque
// directory starts from the empty trie instead of the lower one's, a redirect from another's.
//
// All numbers are in the byte order of the machine; the magic number tells.
//
// Thread rule: plain values.
#pragma once

#include <cstddef>
#include <cstdint>

namespace strata::unionfs::index {

// Where something stands: the segment's number (0 is the bottom layer's) and the offset in its
// file. 0 is 'nothing': a header stands there.
class Ref {
 public:
  constexpr Ref() = default;
  constexpr Ref(uint32_t segment, uint64_t offset)
      : value_(uint64_t{segment} << kOffsetBits | offset) {}

  [[nodiscard]] constexpr uint32_t segment() const {
    return static_cast<uint32_t>(value_ >> kOffsetBits);
  }
  [[nodiscard]] constexpr uint64_t offset() const { return value_ & kMaxOffset; }
  explicit constexpr operator bool() const { return offset() != 0; }
  friend constexpr bool operator==(Ref, Ref) = default;

  static constexpr unsigned kOffsetBits = 44;
  static constexpr uint64_t kMaxOffset = (uint64_t{1} << kOffsetBits) - 1;
  static constexpr uint32_t kMaxSegment = (uint32_t{1} << (64 - kOffsetBits)) - 1;

 private:
  uint64_t value_ = 0;
};

struct Checksum {
  uint64_t low = 0;
  uint64_t high = 0;
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

inline constexpr uint64_t kMagic = 0x3178646e69617274;  // "traindx1" on little-endian machines
inline constexpr uint32_t kVersion = 1;

// The beginning of a segment.
struct Header {
  uint64_t magic;
  uint32_t version;
  uint32_t segment;   // its number: layers below this one
  Checksum checksum;  // XXH3-128 of the file with this field zero
  Checksum parent;    // the checksum of the segment below, zero for the bottom one
  // The root directory of the layer as it was indexed; a layer made anew differs.
  uint64_t layer_inode;
  int64_t layer_ctime_seconds;
  uint32_t layer_ctime_nanoseconds;
  uint32_t flags;
  uint64_t file_size;
  Ref root;  // the Record of the merged tree's root
};

// Header::flags
inline constexpr uint32_t kReadUserXattrs = 1;  // user.overlay.* ("userxattr")

// A file of the merged tree under one of its names. Text follows, each with a NUL behind it: name,
// directory, target, xattrs.
struct Record {
  uint64_t inode;  // st_ino in its layer: with `layer`, what hard links have in common
  uint64_t size;   // content's; directories: names in the subtree, the directory's among them
  int64_t mtime_seconds;
  uint64_t device;  // st_rdev
  Ref children;     // directories: their trie; no value if empty
  Ref data;         // a metacopy: the Record that has the content
  uint32_t mtime_nanoseconds;
  uint32_t mode;  // with type
  uint32_t uid;
  uint32_t gid;
  uint32_t layer;  // that answers, counted from the bottom
  uint32_t links;  // st_nlink in its layer; 1 for directories
  uint32_t
      directory_length;  // where it lies in its layer: the path of its directory, "" is the root
  uint16_t name_length;
  uint16_t flags;
  uint32_t target_length;  // symbolic links
  uint32_t xattrs_size;    // (u16 name length, u32 value length, name, value)…
};

// Record::flags
inline constexpr uint16_t kMerged = 1;  // a directory that continues in lower layers

// Nodes of a directory's trie. A leaf has up to kLeafCapacity names, ordered by hash; a branch
// divides them by the next kBranchBits bits of the hash, the highest first. Where the hash has no
// more bits (names made to collide) a leaf grows beyond its capacity.
struct Node {
  uint32_t is_branch;
  uint32_t count;  // entries of the leaf, or children of the branch
  // leaf:   uint32_t hashes[count], padded to 8 bytes; Ref records[count]
  // branch: uint32_t bitmap of the slots that are there, uint32_t 0; Ref children[count]
};

inline constexpr unsigned kLeafCapacity = 32;
inline constexpr unsigned kBranchBits = 5;
inline constexpr unsigned kHashBits = 32;
inline constexpr unsigned kMaxBranches = kHashBits / kBranchBits;  // on the way to a leaf

static_assert(sizeof(Ref) == 8 && sizeof(Record) % 8 == 0 && sizeof(Header) % 8 == 0);

}  // namespace strata::unionfs::index
