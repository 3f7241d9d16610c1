#include "runtime/bundle/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "unionfs/base/file.h"

namespace strata::bundle {
namespace {

constexpr mode_t kPrivate = 0700;

std::unexpected<Error> no_container() {
  return fail(ENOENT, "container does not exist");
}

}  // namespace

Result<void> check_id(std::string_view id) {
  if (id.empty()) return fail(EINVAL, "container id cannot be empty");
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-.";
  constexpr size_t kLongest = 255;
  if (id.front() == '.' || id.size() > kLongest ||
      id.find_first_not_of(kAllowed) != std::string_view::npos)
    return fail(EINVAL, "invalid container ID format: '" + std::string(id) + "'");
  return {};
}

Result<StateDirectory> StateDirectory::create(const std::filesystem::path& root,
                                              std::string_view id) {
  STRATA_CHECK(check_id(id));
  STRATA_CHECK(make_dirs(root, kPrivate));
  StateDirectory directory(std::string(id), root / std::string(id));
  if (::mkdir(directory.path_.c_str(), kPrivate) < 0) {
    if (errno == EEXIST) return fail(EEXIST, "container with given ID already exists");
    return fail_errno("create " + directory.path_.string());
  }
  constexpr auto kPatience = std::chrono::seconds(10);
  if (auto locked = directory.lock(kPatience); !locked) {
    ::rmdir(directory.path_.c_str());
    return std::unexpected(std::move(locked).error());
  }
  return directory;
}

Result<StateDirectory> StateDirectory::open(const std::filesystem::path& root,
                                            std::string_view id) {
  STRATA_CHECK(check_id(id));
  StateDirectory directory(std::string(id), root / std::string(id));
  struct stat st {};
  if (::lstat(directory.path_.c_str(), &st) < 0 || !S_ISDIR(st.st_mode)) return no_container();
  return directory;
}

Result<void> StateDirectory::lock(std::chrono::milliseconds patience) {
  if (fd_) return {};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto opened = open_file(path_, O_RDONLY | O_DIRECTORY);
  if (!opened && opened.error().code == ENOENT) return no_container();
  if (!opened) return std::unexpected(std::move(opened).error());
  while (::flock(opened->get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("lock " + path_.string());
    if (std::chrono::steady_clock::now() >= deadline)
      return fail(EBUSY, "container " + id_ + " is in use by another program");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  struct stat st {};
  if (::fstat(opened->get(), &st) < 0) return fail_errno("look at " + path_.string());
  if (st.st_nlink == 0) return no_container();
  fd_ = *std::move(opened);
  return {};
}

bool StateDirectory::is_locked_elsewhere() const {
  if (fd_) return false;
  const auto fd = open_file(path_, O_RDONLY | O_DIRECTORY);
  return fd && ::flock(fd->get(), LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

Result<void> StateDirectory::remove() const {
  for (const auto& file : {state(), config(), fifo()}) ::unlink(file.c_str());
  // There may be the rest of a write that was cut off.
  return ::rmdir(path_.c_str()) == 0 ? Result<void>() : remove_tree(path_);
}

Result<std::vector<std::string>> container_ids(const std::filesystem::path& root) {
  std::vector<std::string> ids;
  std::error_code ec;
  std::filesystem::directory_iterator it(root, ec);
  if (ec == std::errc::no_such_file_or_directory) return ids;
  for (const std::filesystem::directory_iterator end; !ec && it != end; it.increment(ec)) {
    std::string id = it->path().filename().string();
    if (it->is_directory(ec) && check_id(id)) ids.push_back(std::move(id));
  }
  if (ec) return fail_errno("read directory " + root.string(), ec.value());
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace strata::bundle
