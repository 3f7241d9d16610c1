#include "unionfs/tar/tree_root.h"

#include <fcntl.h>

#include "unionfs/base/file.h"
#include "unionfs/sys/openat2.h"

namespace strata::unionfs::tar {

Result<TreeRoot> TreeRoot::open(const std::filesystem::path& path) {
  STRATA_TRY(UniqueFd root, open_file(path, O_RDONLY | O_DIRECTORY));
  return TreeRoot(std::move(root));
}

int TreeRoot::directory(std::string_view path) {
  if (path.empty()) return root_.get();
  if (last_ && path == last_path_) return last_.get();
  last_path_ = path;
  last_ = sys::open_beneath(root_.get(), last_path_.c_str(), O_PATH | O_DIRECTORY);
  return last_.get();
}

void TreeRoot::forget(std::string_view path) {
  if (is_within(last_path_, path)) last_.reset();
}

bool is_within(std::string_view path, std::string_view directory) {
  if (directory.empty()) return true;
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace strata::unionfs::tar
