// A directory for work in progress under the store's tmp/. Its owner holds a flock(2) on it, which
// the kernel drops when the owner dies, however it dies: a directory there that can be locked is
// refuse.
//
// Thread rule: one owner.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/image/store.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::image {

class Workspace {
 public:
  [[nodiscard]] static Result<Workspace> create(const Store& store);

  // The same for a caller that holds the store's lock, which create() would wait for.
  [[nodiscard]] static Result<Workspace> create(const Store& store, const StoreLock& held);

  Workspace(Workspace&& other) noexcept = default;
  Workspace& operator=(Workspace&&) = delete;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  // Removes the directory and all that is still in it.
  ~Workspace();

  // A path in the workspace that is not in use. Nothing is created.
  [[nodiscard]] std::filesystem::path fresh_path();

  // Takes a file or directory of the store out of its place in one step; it is removed with the
  // workspace, at leisure. Absence is success.
  [[nodiscard]] Result<void> take(const std::filesystem::path& path);

  // Bytes of all files in it, hard links once, as far as they can be read: for reports.
  [[nodiscard]] uint64_t bytes() const;

  // Waits until everything written to the store's file system is on the disk (syncfs(2)).
  [[nodiscard]] Result<void> sync() const;

 private:
  Workspace(std::filesystem::path path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::filesystem::path path_;
  UniqueFd fd_;
  unsigned next_ = 0;
};

// Entries of tmp/ without a live owner. The caller holds the exclusive lock of the store: nobody
// is between creating a directory and locking it.
[[nodiscard]] Result<std::vector<std::filesystem::path>> dead_workspaces(const Store& store);

// The entries of a directory, full paths, sorted; a directory that is not there has none.
[[nodiscard]] Result<std::vector<std::filesystem::path>> list_dir(const std::filesystem::path& dir);

}  // namespace strata::image
