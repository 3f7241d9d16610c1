#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "unionfs/base/file.h"

namespace strata {
namespace {

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

// Opens a child directory without following links and without crossing a mount point.
int open_child_dir(int parent, const char* name) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
  return static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how));
}

// Removes what is in a directory, depth first. Whoever made the tree may have made it deeper than
// there are descriptors or stack: so neither grows with the depth. One directory is open at a time;
// the way back up is "..", and it must lead to where the way down came from.
class Emptier {
 public:
  Emptier(UniqueFd directory, std::string where)
      : fd_(std::move(directory)), where_(std::move(where)) {}

  Result<void> run() {
    STRATA_CHECK(enter(""));
    for (;;) {
      Level& level = levels_.back();
      if (!level.subdirectories.empty()) {
        const std::string name = std::move(level.subdirectories.back());
        level.subdirectories.pop_back();
        STRATA_CHECK(remove_or_descend(name));
      } else {
        if (levels_.size() == 1) return {};
        STRATA_CHECK(ascend());
      }
    }
  }

 private:
  struct Level {
    std::string name;
    dev_t device = 0;
    ino_t inode = 0;
    std::vector<std::string> subdirectories;  // still to be removed
  };

  [[nodiscard]] std::string path_of(std::string_view name) const {
    std::string path = where_;
    for (const Level& level : levels_) path += level.name.empty() ? "" : "/" + level.name;
    return path + "/" + std::string(name);
  }

  // fd_ is the directory `name` now: removes all in it but directories, which are noted.
  Result<void> enter(std::string name) {
    struct stat st {};
    if (::fstat(fd_.get(), &st) < 0) return fail_errno("stat " + path_of(name));
    if ((st.st_mode & S_IRWXU) != S_IRWXU) ::fchmod(fd_.get(), 0700);
    levels_.push_back({std::move(name), st.st_dev, st.st_ino, {}});
    const std::unique_ptr<DIR, CloseDir> dir(::fdopendir(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)));
    if (!dir) return fail_errno("read directory " + path_of(""));
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(dir.get());
      if (entry == nullptr && errno != 0) return fail_errno("read directory " + path_of(""));
      if (entry == nullptr) return {};
      if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
      if (entry->d_type != DT_DIR) {
        if (::unlinkat(fd_.get(), entry->d_name, 0) == 0 || errno == ENOENT) continue;
        if (errno != EISDIR) return fail_errno("remove " + path_of(entry->d_name));
      }
      levels_.back().subdirectories.emplace_back(entry->d_name);
    }
  }

  Result<void> remove_or_descend(const std::string& name) {
    if (::unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR) == 0) return {};
    UniqueFd child(open_child_dir(fd_.get(), name.c_str()));
    if (!child && errno == EACCES) {
      ::fchmodat(fd_.get(), name.c_str(), 0700, 0);
      child.reset(open_child_dir(fd_.get(), name.c_str()));
    }
    if (!child) {
      if (errno == ENOENT) return {};
      const std::string what = "remove " + path_of(name);
      return fail_errno(errno == EXDEV ? what + ": a file system is mounted there" : what);
    }
    fd_ = std::move(child);
    return enter(name);
  }

  Result<void> ascend() {
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    UniqueFd parent(::openat(fd_.get(), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat st {};
    if (!parent || ::fstat(parent.get(), &st) < 0) return fail_errno("leave " + path_of(name));
    if (st.st_dev != levels_.back().device || st.st_ino != levels_.back().inode)
      return fail(EBUSY, "remove " + path_of(name) + ": it was moved meanwhile");
    fd_ = std::move(parent);
    if (::unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
      return fail_errno("remove directory " + path_of(name));
    return {};
  }

  UniqueFd fd_;
  std::string where_;
  std::vector<Level> levels_;  // from the top to fd_
};

}  // namespace

Result<void> remove_tree(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  if (errno != EISDIR) return fail_errno("remove " + path.string());
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return fail_errno("remove " + path.string());
  STRATA_CHECK(Emptier(std::move(fd), path.string()).run());
  if (::rmdir(path.c_str()) < 0 && errno != ENOENT)
    return fail_errno("remove directory " + path.string());
  return {};
}

}  // namespace strata
