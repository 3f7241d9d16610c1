// The directory that is a layer, and the way to what lies in it: by relative paths that can't leave
// it. The last directory used stays open, since tars and walks have the entries of a directory
// side by side.
//
// Thread rule: one user at a time.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::unionfs::tar {

class TreeRoot {
 public:
  [[nodiscard]] static Result<TreeRoot> open(const std::filesystem::path& path);

  [[nodiscard]] int fd() const { return root_.get(); }

  // An O_PATH descriptor on the directory `path` ("" is the root), or -1 with errno: ENOENT,
  // ENOTDIR, ELOOP for a symbolic link on the way, EXDEV for a mount. Valid until the next call.
  [[nodiscard]] int directory(std::string_view path);

  // Forgets the open directory, if it lies in `path` or is it: REQUIRED when that is removed.
  void forget(std::string_view path);

 private:
  explicit TreeRoot(UniqueFd root) : root_(std::move(root)) {}

  UniqueFd root_;
  std::string last_path_;
  UniqueFd last_;
};

// Whether `path` is `directory` or lies in it.
[[nodiscard]] bool is_within(std::string_view path, std::string_view directory);

}  // namespace strata::unionfs::tar
