// The tries of a segment that is being built: changes applied to a trie of lower segments, with all
// that they don't touch shared.
//
// Thread rule: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "unionfs/index/index.h"

namespace strata::unionfs::index {

// What a layer says about a name in a directory.
struct Change {
  uint32_t hash;
  std::string_view name;
  Ref record;  // none: the name is gone
};

class SegmentBuffer {
 public:
  explicit SegmentBuffer(uint32_t segment);

  // Room for `size` bytes, zeroed and aligned to 8. The pointer is valid until the next call.
  [[nodiscard]] std::pair<Ref, std::byte*> allocate(size_t size);

  [[nodiscard]] bool is_too_big() const { return bytes_.size() > Ref::kMaxOffset; }

  // Gives the bytes with `header` in front, its sizes and checksum filled in.
  [[nodiscard]] std::vector<std::byte> finish(Header header) &&;

 private:
  uint32_t segment_;
  std::vector<std::byte> bytes_;
};

// The trie at `base` (an old one, from `below`) with `changes`, at most one a name.
[[nodiscard]] Ref write_trie(SegmentBuffer& out, const Index& below, Ref base,
                             std::vector<Change> changes);

}  // namespace strata::unionfs::index
