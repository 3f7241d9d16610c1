#include "runtime/image/workspace.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "unionfs/base/file.h"
#include "unionfs/base/terminal.h"
#include "unionfs/base/undo.h"

namespace strata::image {
namespace {

struct CloseFts {
  void operator()(FTS* fts) const { ::fts_close(fts); }
};

}  // namespace

Result<Workspace> Workspace::create(const Store& store) {
  // Shared: whoever clears tmp/ holds the exclusive lock and so never meets a directory that is
  // made but not yet locked.
  STRATA_TRY(const StoreLock lock, store.lock_shared());
  return create(store, lock);
}

Result<Workspace> Workspace::create(const Store& store, const StoreLock& /*held*/) {
  STRATA_TRY(std::filesystem::path path,
             make_temp_dir(store.tmp_dir(), std::to_string(::getpid()) + "-"));
  Undo undo;
  undo.add([&] { ::rmdir(path.c_str()); });
  STRATA_TRY(UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) < 0) return fail_errno("lock " + path.string());
  undo.release();
  return Workspace(std::move(path), std::move(fd));
}

Workspace::~Workspace() {
  if (!fd_) return;  // moved from
  // A failure here loses nothing: without its owner the directory is refuse, and prune takes it.
  if (const auto removed = remove_tree(path_); !removed)
    print_warning("strata", removed.error().what + " ('strata prune' removes what is left)");
}

std::filesystem::path Workspace::fresh_path() {
  return path_ / std::to_string(next_++);
}

Result<void> Workspace::take(const std::filesystem::path& path) {
  const auto target = fresh_path();
  if (::rename(path.c_str(), target.c_str()) == 0 || errno == ENOENT) return {};
  return fail_errno("rename " + path.string() + " to " + target.string());
}

uint64_t Workspace::bytes() const {
  std::string root = path_.string();
  std::array<char*, 2> roots{root.data(), nullptr};
  const std::unique_ptr<FTS, CloseFts> fts(
      ::fts_open(roots.data(), FTS_PHYSICAL | FTS_NOCHDIR, nullptr));
  uint64_t sum = 0;
  std::set<std::pair<dev_t, ino_t>> linked;
  while (const FTSENT* entry = fts ? ::fts_read(fts.get()) : nullptr) {
    if (entry->fts_info != FTS_F) continue;
    const struct stat& st = *entry->fts_statp;
    if (st.st_nlink == 1 || linked.emplace(st.st_dev, st.st_ino).second)
      sum += static_cast<uint64_t>(st.st_size);
  }
  return sum;
}

Result<void> Workspace::sync() const {
  if (::syncfs(fd_.get()) < 0) return fail_errno("sync the file system of " + path_.string());
  return {};
}

Result<std::vector<std::filesystem::path>> list_dir(const std::filesystem::path& dir) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator it(dir, error), end; !error && it != end;
       it.increment(error))
    paths.push_back(it->path());
  if (error && error != std::errc::no_such_file_or_directory)
    return fail_errno("read directory " + dir.string(), error.value());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Result<std::vector<std::filesystem::path>> dead_workspaces(const Store& store) {
  STRATA_TRY(const auto entries, list_dir(store.tmp_dir()));
  std::vector<std::filesystem::path> dead;
  for (const auto& path : entries) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    const bool alive = fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    if (!alive) dead.push_back(path);
  }
  return dead;
}

}  // namespace strata::image
