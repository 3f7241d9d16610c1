#include "unionfs/index/index.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstring>
#include <utility>

#include "unionfs/files/tree_path.h"

namespace strata::unionfs::index {
namespace {

const char* text_of(const Record& record) {
  return reinterpret_cast<const char*>(&record + 1);
}

}  // namespace

size_t record_text_size(const Record& record) {
  return size_t{record.name_length} + 1 + record.directory_length + 1 + record.target_length + 1 +
         record.xattrs_size + 1;
}

uint32_t hash_of(std::string_view name) {
  return static_cast<uint32_t>(XXH3_64bits(name.data(), name.size()) >> 32);
}

const uint32_t* leaf_hashes(const Node& leaf) {
  return reinterpret_cast<const uint32_t*>(&leaf + 1);
}

const Ref* leaf_records(const Node& leaf) {
  return reinterpret_cast<const Ref*>(leaf_hashes(leaf) + (leaf.count + 1) / 2 * 2);
}

uint32_t branch_bitmap(const Node& branch) {
  return leaf_hashes(branch)[0];
}

const Ref* branch_children(const Node& branch) {
  return reinterpret_cast<const Ref*>(leaf_hashes(branch) + 2);
}

Result<Index> Index::with(std::shared_ptr<const Segment> top) const {
  const Header& header = top->header();
  if (header.segment != size() || header.parent != identity())
    return fail(EBADMSG, "the index segment was built on other layers");
  Index taller = *this;
  taller.extents_.push_back({top->bytes().data(), top->bytes().size()});
  taller.segments_.push_back(std::move(top));
  taller.root_ = taller.record(header.root);
  if (taller.root_ == nullptr) return fail(EBADMSG, "the index segment has no root");
  return taller;
}

uint64_t Index::entries() const {
  return root_ == nullptr ? 0 : root_->size;
}

Checksum Index::identity() const {
  return segments_.empty() ? Checksum{} : segments_.back()->header().checksum;
}

const std::byte* Index::at(Ref ref, uint64_t size) const noexcept {
  const uint32_t segment = ref.segment();
  const uint64_t offset = ref.offset();
  if (segment >= extents_.size()) return nullptr;
  const Extent& extent = extents_[segment];
  if (offset < sizeof(Header) || offset % 8 != 0 || offset > extent.size ||
      size > extent.size - offset)
    return nullptr;
  return extent.data + offset;
}

const Record* Index::record(Ref ref) const noexcept {
  const std::byte* found = at(ref, sizeof(Record));
  if (found == nullptr) return nullptr;
  const auto* record = reinterpret_cast<const Record*>(found);
  return at(ref, sizeof(Record) + record_text_size(*record)) == nullptr ? nullptr : record;
}

const Node* Index::node(Ref ref) const noexcept {
  const std::byte* found = at(ref, sizeof(Node) + 8);
  if (found == nullptr) return nullptr;
  const auto* node = reinterpret_cast<const Node*>(found);
  const uint64_t count = node->count;
  if (node->is_branch != 0) {
    if (static_cast<unsigned>(std::popcount(branch_bitmap(*node))) != count) return nullptr;
    return at(ref, sizeof(Node) + 8 + count * sizeof(Ref)) == nullptr ? nullptr : node;
  }
  const uint64_t size = sizeof(Node) + (count + 1) / 2 * 8 + count * sizeof(Ref);
  return at(ref, size) == nullptr ? nullptr : node;
}

const Record* Index::child(const Record& directory, std::string_view name) const noexcept {
  const uint32_t hash = hash_of(name);
  const Node* found = node(directory.children);
  for (unsigned depth = 0; found != nullptr && found->is_branch != 0; ++depth) {
    if (depth == kMaxBranches) return nullptr;
    const uint32_t bit = uint32_t{1} << slot_of(hash, depth);
    const uint32_t bitmap = branch_bitmap(*found);
    if ((bitmap & bit) == 0) return nullptr;
    found = node(branch_children(*found)[std::popcount(bitmap & (bit - 1))]);
  }
  if (found == nullptr) return nullptr;
  const uint32_t* hashes = leaf_hashes(*found);
  for (uint32_t i = 0; i < found->count; ++i) {
    if (hashes[i] != hash) continue;
    const Record* candidate = record(leaf_records(*found)[i]);
    if (candidate != nullptr && name_of(*candidate) == name) return candidate;
  }
  return nullptr;
}

const Record* Index::lookup(std::string_view path) const noexcept {
  const Record* found = root_;
  while (found != nullptr && !path.empty()) {
    const std::string_view name = take_component(path);
    if (!name.empty()) found = child(*found, name);
  }
  return found;
}

void Index::collect(Ref ref, unsigned depth, std::vector<const Record*>& out) const {
  const Node* found = node(ref);
  if (found == nullptr || depth > kMaxBranches) return;
  if (found->is_branch != 0) {
    for (uint32_t i = 0; i < found->count; ++i) collect(branch_children(*found)[i], depth + 1, out);
    return;
  }
  for (uint32_t i = 0; i < found->count; ++i) {
    if (const Record* entry = record(leaf_records(*found)[i])) out.push_back(entry);
  }
}

std::vector<const Record*> Index::children(const Record& directory) const {
  std::vector<const Record*> entries;
  collect(directory.children, 0, entries);
  return entries;
}

std::string_view name_of(const Record& record) {
  return {text_of(record), record.name_length};
}

std::string_view target_of(const Record& record) {
  return {text_of(record) + record.name_length + 1 + record.directory_length + 1,
          record.target_length};
}

std::string path_in_layer(const Record& record) {
  return join_path({text_of(record) + record.name_length + 1, record.directory_length},
                   name_of(record));
}

std::vector<XattrView> xattrs_of(const Record& record) {
  std::vector<XattrView> xattrs;
  const std::string_view target = target_of(record);
  std::string_view rest(target.data() + target.size() + 1, record.xattrs_size);
  while (rest.size() > sizeof(uint16_t) + sizeof(uint32_t)) {
    uint16_t name_length = 0;
    uint32_t value_length = 0;
    std::memcpy(&name_length, rest.data(), sizeof name_length);
    std::memcpy(&value_length, rest.data() + sizeof name_length, sizeof value_length);
    rest.remove_prefix(sizeof name_length + sizeof value_length);
    if (rest.size() < size_t{name_length} + value_length) break;
    xattrs.push_back({rest.substr(0, name_length), rest.substr(name_length, value_length)});
    rest.remove_prefix(size_t{name_length} + value_length);
  }
  return xattrs;
}

}  // namespace strata::unionfs::index
