// The merged tree of a stack of layers, answered from memory: which layer has the file behind a
// name, in constant time per component however many layers there are, present or not.
//
// An Index is a chain of segments, the bottom layer's first; an index of a taller stack shares the
// segments of the lower one. Records and text point into the segments and live as long as any Index
// that has them.
//
// Refs in damaged segments that went past the checksum lead nowhere instead of outside.
//
// Thread rule: immutable, may be shared; lookups take no lock and allocate nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/index/format.h"
#include "unionfs/index/segment.h"

namespace strata::unionfs::index {

struct XattrView {
  std::string_view name;
  std::string_view value;
};

class Index {
 public:
  // Of no layers: what the bottom layer's segment is built on.
  Index() = default;

  // This index with one more layer on top. EBADMSG if the segment was built on another one.
  [[nodiscard]] Result<Index> with(std::shared_ptr<const Segment> top) const;

  [[nodiscard]] size_t size() const { return segments_.size(); }

  // The segment of layer `i`, counted from the bottom. REQUIRES: i < size().
  [[nodiscard]] const Segment& segment(size_t i) const { return *segments_[i]; }

  // Names in the merged tree, its root among them; 0 without layers.
  [[nodiscard]] uint64_t entries() const;

  // The checksum of the top segment: names the merged tree. Zero without layers.
  [[nodiscard]] Checksum identity() const;

  // nullptr without layers.
  [[nodiscard]] const Record* root() const { return root_; }

  // What `name` is in `directory`; nullptr if it isn't there.
  [[nodiscard]] const Record* child(const Record& directory, std::string_view name) const noexcept;

  // What stands at `path` below the root: components parted by slashes, no "." or "..", "" is the
  // root. Symbolic links on the way are not followed: they have no children. nullptr if it isn't
  // there.
  [[nodiscard]] const Record* lookup(std::string_view path) const noexcept;

  // The entries of `directory`, in no order that means something.
  [[nodiscard]] std::vector<const Record*> children(const Record& directory) const;
  [[nodiscard]] bool has_children(const Record& directory) const {
    return bool{directory.children};
  }

  // The Record at `ref`, nullptr for none.
  [[nodiscard]] const Record* record(Ref ref) const noexcept;

  // For the builder: a Node with its arrays within bounds, nullptr for none.
  [[nodiscard]] const Node* node(Ref ref) const noexcept;

 private:
  struct Extent {
    const std::byte* data;
    uint64_t size;
  };

  [[nodiscard]] const std::byte* at(Ref ref, uint64_t size) const noexcept;
  void collect(Ref node, unsigned depth, std::vector<const Record*>& out) const;

  std::vector<std::shared_ptr<const Segment>> segments_;
  std::vector<Extent> extents_;
  const Record* root_ = nullptr;
};

// Text of a Record.
[[nodiscard]] std::string_view name_of(const Record& record);
[[nodiscard]] std::string_view target_of(const Record& record);  // of a symbolic link
[[nodiscard]] std::vector<XattrView> xattrs_of(const Record& record);

// Where the file stands in its layer, relative to the layer's root.
[[nodiscard]] std::string path_in_layer(const Record& record);

// What follows a Record, NULs included.
[[nodiscard]] size_t record_text_size(const Record& record);

[[nodiscard]] uint32_t hash_of(std::string_view name);

// The slot that `hash` belongs to in a branch with `depth` branches above it.
[[nodiscard]] constexpr unsigned slot_of(uint32_t hash, unsigned depth) {
  return (hash << depth * kBranchBits) >> (kHashBits - kBranchBits);
}

// The arrays of a Node.
[[nodiscard]] const uint32_t* leaf_hashes(const Node& leaf);
[[nodiscard]] const Ref* leaf_records(const Node& leaf);
[[nodiscard]] uint32_t branch_bitmap(const Node& branch);
[[nodiscard]] const Ref* branch_children(const Node& branch);

}  // namespace strata::unionfs::index
