// pack_upper(): a walk over what an upper layer changes, as the union sees it.
#include "unionfs/upper_tar.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unionfs/engine/tree.h"
#include "unionfs/files/list_names.h"
#include "unionfs/files/tree_path.h"
#include "unionfs/sys/openat2.h"
#include "unionfs/tar/archive_writer.h"
#include "unionfs/tar/entry_packer.h"

namespace strata::unionfs {
namespace {

using engine::Node;

class UpperPacker {
 public:
  UpperPacker(const engine::Tree& tree, tar::ArchiveWriter& writer)
      : tree_(tree), writer_(writer), entries_(writer, tar::OtherLayers::kResolved) {}

  // In the order of pack_layer(): an upper layer without such notes gives the same bytes.
  Result<LayerStats> run() {
    STRATA_TRY(Node root, tree_.root());
    root.below = root.lower;
    STRATA_CHECK(tar::in_entry("", add_directory(std::move(root), false)));
    while (!open_.empty()) {
      Listing& listing = open_.back();
      if (listing.next == listing.names.size()) {
        open_.pop_back();
        continue;
      }
      const std::string& name = listing.names[listing.next++];
      const std::string path = join_path(listing.directory.path, name);
      STRATA_CHECK(tar::in_entry(path, add(listing, name)));
    }
    STRATA_CHECK(writer_.close());
    return entries_.stats();
  }

 private:
  struct Listing {
    Node directory;
    bool is_whole;  // all that it shows is packed, not only what the upper layer has
    std::vector<std::string> names;
    size_t next = 0;
  };

  Result<void> add(const Listing& listing, const std::string& name) {
    STRATA_CHECK(tar::check_layer_name(name));
    STRATA_TRY(Node node, tree_.child(listing.directory, name));
    if (!node.exists()) return entries_.add_whiteout(node.path);
    if (node.is_directory()) return add_directory(std::move(node), listing.is_whole);
    const std::string path = node.path;
    STRATA_TRY(const UniqueFd content, content_elsewhere(node));
    if (node.upper) {
      STRATA_TRY(const UniqueFd parent, tree_.open_upper_directory(listing.directory.path));
      return entries_.add(path, parent.get(), name, content.get());
    }
    const std::string in_layer = path_in_layer(*node.lower);
    const auto [directory, lower_name] = split_path(in_layer);
    const std::string parent_path(directory.empty() ? "." : directory);
    const UniqueFd parent =
        sys::open_beneath(tree_.layer_of(*node.lower), parent_path.c_str(), O_PATH | O_DIRECTORY);
    if (!parent) return fail_errno("open its directory in a layer");
    return entries_.add(path, parent.get(), std::string(lower_name), content.get());
  }

  // Where the content of a metacopy is; nothing for other files.
  Result<UniqueFd> content_elsewhere(const Node& node) const {
    const bool is_metacopy = node.upper ? node.upper->is_metacopy : bool{node.lower->data};
    if (!is_metacopy) return UniqueFd();
    return tree_.open_lower(tree_.content_of(*node.lower), O_RDONLY);
  }

  Result<void> add_directory(Node node, bool is_whole) {
    STRATA_TRY(const UniqueFd fd, tree_.open_real(node, O_RDONLY | O_DIRECTORY));
    STRATA_CHECK(entries_.add_directory(node.path, fd.get()));
    const bool is_redirected = node.upper && node.lower != nullptr && node.upper->redirect;
    if (!is_whole && (is_redirected || node.upper->is_opaque))
      STRATA_CHECK(entries_.add_opaque_marker(node.path));
    is_whole |= is_redirected;
    std::vector<std::string> names;
    if (is_whole) {
      STRATA_TRY(const std::vector<DirectoryEntry> shown, tree_.list(node));
      for (const DirectoryEntry& entry : shown) names.push_back(entry.name);
    } else {
      STRATA_TRY(names, list_names(fd.get()));
    }
    std::ranges::sort(names);
    open_.push_back({std::move(node), is_whole, std::move(names)});
    return {};
  }

  const engine::Tree& tree_;
  tar::ArchiveWriter& writer_;
  tar::EntryPacker entries_;
  std::vector<Listing> open_;
};

}  // namespace

Result<LayerStats> pack_upper(LayerStack stack, index::Index index,
                              const std::filesystem::path& upper, ByteSink& sink,
                              const OverlayXattrs& names) {
  STRATA_TRY(
      const std::unique_ptr<engine::Tree> tree,
      engine::Tree::open(std::move(stack), std::move(index), Upper{upper, {}}, {.names = &names}));
  STRATA_TRY(const std::unique_ptr<tar::ArchiveWriter> writer, tar::ArchiveWriter::open(sink));
  return UpperPacker(*tree, *writer).run();
}

}  // namespace strata::unionfs
