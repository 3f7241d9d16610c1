#include "runtime/image/image.h"

namespace strata::image {

std::vector<std::filesystem::path> Image::trees_top_first() const {
  std::vector<std::filesystem::path> trees;
  trees.reserve(layers.size());
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) trees.push_back(layer->tree);
  return trees;
}

}  // namespace strata::image
