#include "runtime/image/image.h"

#include <algorithm>

namespace strata::image {

std::vector<std::filesystem::path> Image::trees_top_first() const {
  std::vector<std::filesystem::path> trees;
  trees.reserve(layers.size());
  // The same layer further down changes nothing: the upper one hides or whites out all that the
  // lower does. And overlayfs refuses a stack that has a directory twice (ELOOP).
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer)
    if (std::find(trees.begin(), trees.end(), layer->tree) == trees.end())
      trees.push_back(layer->tree);
  return trees;
}

}  // namespace strata::image
