#include "unionfs/index/cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <string>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/index/builder.h"

namespace strata::unionfs::index {
namespace {

// A file's name: the paths of the layers from the bottom up to its own. So a layer made anew at the
// same place takes the place of its old segment, too.
class ChainName {
 public:
  void add(const std::filesystem::path& layer) {
    const std::string& text = layer.native();
    key_ = XXH3_128bits_withSeed(text.data(), text.size() + 1, key_.low64 ^ key_.high64);
  }

  [[nodiscard]] std::string file() const {
    char name[40];
    std::snprintf(name, sizeof name, "%016llx%016llx.index",
                  static_cast<unsigned long long>(key_.high64),
                  static_cast<unsigned long long>(key_.low64));
    return name;
  }

 private:
  XXH128_hash_t key_{};
};

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The index with the kept segment on top, if that is good.
std::optional<Index> open_kept(const Index& below, const std::filesystem::path& path,
                               const struct stat& root, const OverlayXattrs& names) {
  auto segment = Segment::open(path);
  if (!segment || !is_of_layer(**segment, root, names)) return std::nullopt;
  auto index = below.with(*std::move(segment));
  if (!index) return std::nullopt;
  return *std::move(index);
}

Result<Index> build(const Index& below, const LayerStack& stack, size_t layer,
                    const OverlayXattrs& names) {
  auto segment = build_segment(below, stack.fd(layer), names);
  if (!segment)
    return fail_in("index layer " + stack.path(layer).string(), std::move(segment).error());
  return below.with(*std::move(segment));
}

}  // namespace

Result<OpenedIndex> open_index(const LayerStack& stack,
                               const std::optional<std::filesystem::path>& directory,
                               const OverlayXattrs& names) {
  const bool is_kept = directory && make_dirs(*directory, 0700);
  OpenedIndex opened;
  ChainName chain;
  for (size_t layer = stack.size(); layer-- > 0;) {
    struct stat root {};
    if (::fstat(stack.fd(layer), &root) < 0)
      return fail_errno("stat layer " + stack.path(layer).string());
    chain.add(stack.path(layer));
    if (is_kept) {
      if (auto kept = open_kept(opened.index, *directory / chain.file(), root, names)) {
        opened.index = *std::move(kept);
        continue;
      }
    }
    STRATA_TRY(opened.index, build(opened.index, stack, layer, names));
    ++opened.built;
    if (is_kept) {
      const Segment& made = opened.index.segment(opened.index.size() - 1);
      // Without the file the next one builds it again.
      (void)write_file_atomic(*directory / chain.file(), text_of(made.bytes()), Durability::kAtomic,
                              0600);
    }
  }
  return opened;
}

Result<void> verify_index(const LayerStack& stack, const Index& index, const OverlayXattrs& names) {
  Index built;
  for (size_t layer = stack.size(); layer-- > 0;) {
    STRATA_TRY(built, build(built, stack, layer, names));
    if (index.size() < built.size() ||
        built.identity() != index.segment(built.size() - 1).header().checksum)
      return fail(EUCLEAN, "the index does not say what is in layer " + stack.path(layer).string());
  }
  return {};
}

}  // namespace strata::unionfs::index
