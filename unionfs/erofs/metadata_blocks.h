// Where the inodes of an image stand: packed into blocks, few of which keep holes.
//
// Thread rule: one user at a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "unionfs/erofs/format.h"

namespace strata::unionfs::erofs {

[[nodiscard]] constexpr uint64_t round_up(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

class MetadataBlocks {
 public:
  // Room for `size` bytes, in one block wherever that is possible: one read, and what is inline
  // must not cross a block's end anyway (fs/erofs/data.c: erofs_map_blocks).
  uint64_t take(uint64_t size) {
    size = round_up(size, kSlotSize);
    for (Open& block : open_) {
      if (block.room >= size) return take_from(block, size);
    }
    const uint64_t start = end_;
    end_ += round_up(size, kBlockSize);
    // Few are kept, lest the files of one directory are scattered.
    Open& fullest = *std::ranges::min_element(open_, {}, &Open::room);
    fullest = {.end = start + size, .room = end_ - start - size};
    return start;
  }

  [[nodiscard]] uint64_t end() const { return end_; }

 private:
  struct Open {
    uint64_t end = 0;
    uint64_t room = 0;
  };

  static uint64_t take_from(Open& block, uint64_t size) {
    block.room -= size;
    return std::exchange(block.end, block.end + size);
  }

  std::array<Open, 16> open_{};
  uint64_t end_ = kBlockSize;  // the first block is the super block's
};

}  // namespace strata::unionfs::erofs
