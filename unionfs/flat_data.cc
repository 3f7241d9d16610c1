#include "unionfs/flat_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/erofs/tree.h"
#include "unionfs/erofs/writer.h"
#include "unionfs/files/proc_path.h"
#include "unionfs/sys/openat2.h"

namespace strata::unionfs {
namespace {

using std::filesystem::path;

constexpr size_t kMaxLayers = 500;  // fs/overlayfs/super.c: OVL_MAX_STACK, the image among them

// The deepest directory that both are in (or are).
path common_directory(const path& a, const path& b) {
  path common;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end() && *i == *j; ++i, ++j)
    common /= *i;
  return common;
}

bool is_same_file(int a, int b) {
  struct stat of_a {
  }, of_b{};
  return ::fstat(a, &of_a) == 0 && ::fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

// Whether the kernel finds the layer at `root` below the data layer: it follows no symbolic link
// and crosses no mount (fs/overlayfs/namei.c: ovl_lookup_data_layer).
bool is_found(int directory, const std::string& root, int layer) {
  const UniqueFd found =
      sys::open_beneath(directory, root.empty() ? "." : root.c_str() + 1, O_PATH | O_DIRECTORY);
  return found && is_same_file(found.get(), layer);
}

FlatData separate_data(const LayerStack& stack) {
  FlatData data{.is_shared = false};
  for (size_t i = 0; i < stack.size(); ++i) data.directories.push_back(stack.path(i));
  data.layer_roots.resize(stack.size());
  return data;
}

}  // namespace

Result<FlatData> flat_data(const LayerStack& stack) {
  std::vector<path> layers;  // bottom first
  path common;
  for (size_t i = stack.size(); i-- > 0;) {
    std::error_code error;
    layers.push_back(std::filesystem::read_symlink(proc_path(stack.fd(i)), error));
    if (error) return fail_errno("find layer " + stack.path(i).string(), error.value());
    common = layers.size() == 1 ? layers.back() : common_directory(common, layers.back());
  }
  FlatData data{.directories = {common}};
  const auto directory = open_file(common, O_PATH | O_DIRECTORY);
  if (!directory) return separate_data(stack);
  const size_t prefix = common == "/" ? 0 : common.native().size();
  for (size_t i = 0; i < layers.size(); ++i) {
    std::string root = layers[i].native().substr(prefix);
    if (root == "/") root.clear();
    if (!is_found(directory->get(), root, stack.fd(stack.size() - 1 - i)))
      return separate_data(stack);
    data.layer_roots.push_back(std::move(root));
  }
  return data;
}

Result<std::string> read_content(const LayerStack& stack, const index::Record& file) {
  const UniqueFd fd = sys::open_beneath(stack.fd(stack.size() - 1 - file.layer),
                                        path_in_layer(file).c_str(), O_RDONLY | O_NOATIME);
  if (!fd) return fail_errno("open its content");
  std::string content(file.size, '\0');
  const ssize_t size = ::pread(fd.get(), content.data(), content.size(), 0);
  if (size < 0) return fail_errno("read its content");
  content.resize(static_cast<size_t>(size));
  return content;
}

Result<void> check_unambiguous(const LayerStack& stack, const index::Index& index) {
  if (stack.size() >= kMaxLayers)
    return fail(E2BIG, "the layers are not on one mount, and the kernel takes no more than " +
                           std::to_string(kMaxLayers - 1) + " data layers");
  STRATA_TRY(const erofs::Tree tree, erofs::collect_tree(index));
  for (const erofs::TreeInode& inode : tree.inodes) {
    if (!erofs::is_elsewhere(*inode.record)) continue;
    const index::Record* data =
        inode.record->data ? index.record(inode.record->data) : inode.record;
    if (data == nullptr) return fail(EBADMSG, "the index doesn't say where content is");
    const std::string name = path_in_layer(*data);
    for (size_t i = 0; i + data->layer + 1 < stack.size(); ++i) {
      const UniqueFd other = sys::open_beneath(stack.fd(i), name.c_str(), O_PATH | O_NOFOLLOW);
      struct stat st {};
      if (other && ::fstat(other.get(), &st) == 0 && S_ISREG(st.st_mode))
        return fail(EXDEV, "the layers are not on one mount, and the content of " + name +
                               " would be mistaken for that in " + stack.path(i).string());
    }
  }
  return {};
}

}  // namespace strata::unionfs
