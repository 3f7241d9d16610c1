#include "unionfs/layer_stack.h"

#include <fcntl.h>
#include <sys/xattr.h>

#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/overlay_xattrs.h"

namespace strata::unionfs {
namespace {

// The kernel always merges the roots of a stack (fs/overlayfs/super.c: ovl_get_root), so a layer
// that hides everything below it has to end the stack here.
bool hides_all_below(const std::filesystem::path& layer) {
  char value = 0;
  return ::lgetxattr(layer.c_str(), kTrustedXattrs.opaque, &value, 1) == 1 && value == 'y';
}

}  // namespace

Result<LayerStack> LayerStack::open(std::vector<std::filesystem::path> top_first) {
  if (top_first.empty()) return fail(EINVAL, "a union needs at least one layer");
  LayerStack stack;
  stack.layers_.reserve(top_first.size());
  for (auto& path : top_first) {
    auto fd = open_file(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    if (!fd) return fail_in("layer", std::move(fd).error());
    const bool is_last = &path == &top_first.back() || hides_all_below(path);
    stack.layers_.push_back({std::move(path), *std::move(fd)});
    if (is_last) break;
  }
  return stack;
}

}  // namespace strata::unionfs
