// A stack of read-only layers, top first: `layer(0)` wins over `layer(1)`, and so on.
//
// A layer is a plain directory in overlayfs's on-disk format (FORMAT.md): whiteouts are 0:0
// character devices, opaque directories carry trusted.overlay.opaque=y. What the engine writes the
// kernel can mount, and the other way round.
//
// The stack holds an O_PATH descriptor on every layer, so it stays valid when a layer's path is
// renamed. Thread rule: immutable after open(), may be shared.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::unionfs {

class LayerStack {
 public:
  // Opens the layers. ENOENT or ENOTDIR name the layer at fault. An empty stack is EINVAL. A layer
  // whose root is opaque ends the stack: what would lie below it is not part of the union (the
  // kernel merges roots whatever they say), so size() may be less than what was given.
  [[nodiscard]] static Result<LayerStack> open(std::vector<std::filesystem::path> top_first);

  [[nodiscard]] size_t size() const { return layers_.size(); }

  // REQUIRES: i < size().
  [[nodiscard]] const std::filesystem::path& path(size_t i) const { return layers_[i].path; }
  [[nodiscard]] int fd(size_t i) const { return layers_[i].fd.get(); }

 private:
  struct Layer {
    std::filesystem::path path;
    UniqueFd fd;
  };
  std::vector<Layer> layers_;
};

}  // namespace strata::unionfs
