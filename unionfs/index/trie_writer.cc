#include "unionfs/index/trie_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace strata::unionfs::index {
namespace {

struct Entry {
  uint32_t hash;
  Ref record;
};

// Calls visit(slot, part) for each run of `items` (ordered by hash) that shares a slot.
template <class Item, class Visit>
void for_each_slot(std::span<Item> items, unsigned depth, Visit visit) {
  while (!items.empty()) {
    const unsigned slot = slot_of(items.front().hash, depth);
    const auto end = std::ranges::find_if(
        items, [&](const auto& item) { return slot_of(item.hash, depth) != slot; });
    const auto length = static_cast<size_t>(end - items.begin());
    visit(slot, items.first(length));
    items = items.subspan(length);
  }
}

class TrieWriter {
 public:
  TrieWriter(SegmentBuffer& out, const Index& below) : out_(out), below_(below) {}

  Ref apply(Ref base, std::span<Change> changes, unsigned depth) {
    if (changes.empty()) return base;
    const Node* node = below_.node(base);
    if (node == nullptr || node->is_branch == 0) return apply_to_leaf(node, changes, depth);

    Ref slots[1U << kBranchBits] = {};
    const uint32_t bitmap = branch_bitmap(*node);
    const Ref* old = branch_children(*node);
    for (unsigned slot = 0; slot < std::size(slots); ++slot) {
      if ((bitmap >> slot & 1) != 0) slots[slot] = *old++;
    }
    for_each_slot(changes, depth, [&](unsigned slot, std::span<Change> part) {
      slots[slot] = apply(slots[slot], part, depth + 1);
    });
    return write_branch(slots);
  }

 private:
  Ref apply_to_leaf(const Node* leaf, std::span<Change> changes, unsigned depth) {
    std::vector<Entry> entries;
    for (const Change& change : changes) {
      if (change.record) entries.push_back({change.hash, change.record});
    }
    for (uint32_t i = 0; leaf != nullptr && i < leaf->count; ++i) {
      const Entry entry{leaf_hashes(*leaf)[i], leaf_records(*leaf)[i]};
      if (!is_changed(entry, changes)) entries.push_back(entry);
    }
    std::ranges::sort(entries, {}, &Entry::hash);
    return build(entries, depth);
  }

  bool is_changed(const Entry& entry, std::span<Change> changes) const {
    const auto same_hash = std::ranges::equal_range(changes, entry.hash, {}, &Change::hash);
    if (same_hash.empty()) return false;
    const Record* record = below_.record(entry.record);
    return record == nullptr ||
           std::ranges::find(same_hash, name_of(*record), &Change::name) != same_hash.end();
  }

  Ref build(std::span<Entry> entries, unsigned depth) {
    if (entries.empty()) return {};
    if (entries.size() <= kLeafCapacity || depth == kMaxBranches) return write_leaf(entries);
    Ref slots[1U << kBranchBits] = {};
    for_each_slot(entries, depth, [&](unsigned slot, std::span<Entry> part) {
      slots[slot] = build(part, depth + 1);
    });
    return write_branch(slots);
  }

  Ref write_leaf(std::span<const Entry> entries) {
    const auto count = static_cast<uint32_t>(entries.size());
    const size_t hashes = (count + 1) / 2 * 2 * sizeof(uint32_t);
    const auto [ref, at] = out_.allocate(sizeof(Node) + hashes + count * sizeof(Ref));
    const Node node{.is_branch = 0, .count = count};
    std::memcpy(at, &node, sizeof node);
    for (uint32_t i = 0; i < count; ++i) {
      std::memcpy(at + sizeof node + i * sizeof(uint32_t), &entries[i].hash, sizeof(uint32_t));
      std::memcpy(at + sizeof node + hashes + i * sizeof(Ref), &entries[i].record, sizeof(Ref));
    }
    return ref;
  }

  Ref write_branch(std::span<const Ref, 1U << kBranchBits> slots) {
    const auto count = static_cast<uint32_t>(std::ranges::count_if(slots, &Ref::operator bool));
    if (count == 0) return {};
    const auto [ref, at] = out_.allocate(sizeof(Node) + 2 * sizeof(uint32_t) + count * sizeof(Ref));
    const Node node{.is_branch = 1, .count = count};
    std::memcpy(at, &node, sizeof node);
    uint32_t bitmap = 0;
    std::byte* child = at + sizeof node + 2 * sizeof(uint32_t);
    for (unsigned slot = 0; slot < slots.size(); ++slot) {
      if (!slots[slot]) continue;
      bitmap |= uint32_t{1} << slot;
      std::memcpy(child, &slots[slot], sizeof(Ref));
      child += sizeof(Ref);
    }
    std::memcpy(at + sizeof node, &bitmap, sizeof bitmap);
    return ref;
  }

  SegmentBuffer& out_;
  const Index& below_;
};

}  // namespace

SegmentBuffer::SegmentBuffer(uint32_t segment) : segment_(segment), bytes_(sizeof(Header)) {}

std::pair<Ref, std::byte*> SegmentBuffer::allocate(size_t size) {
  const size_t offset = bytes_.size();
  bytes_.resize(offset + (size + 7) / 8 * 8);
  return {Ref(segment_, offset), bytes_.data() + offset};
}

std::vector<std::byte> SegmentBuffer::finish(Header header) && {
  header.magic = kMagic;
  header.version = kVersion;
  header.segment = segment_;
  header.file_size = bytes_.size();
  header.checksum = {};
  std::memcpy(bytes_.data(), &header, sizeof header);
  header.checksum = checksum_of(bytes_);
  std::memcpy(bytes_.data(), &header, sizeof header);
  return std::move(bytes_);
}

Ref write_trie(SegmentBuffer& out, const Index& below, Ref base, std::vector<Change> changes) {
  std::ranges::sort(changes, {}, &Change::hash);
  return TrieWriter(out, below).apply(base, changes, 0);
}

}  // namespace strata::unionfs::index
