#include "unionfs/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "unionfs/base/undo.h"

namespace strata {
namespace {

Result<std::string> read_all(int fd, const std::string& name, size_t limit) {
  std::string content;
  constexpr size_t kChunk = 16384;
  size_t used = 0;
  for (;;) {
    content.resize(used + kChunk);
    const ssize_t n = ::read(fd, content.data() + used, kChunk);
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("read " + name);
    }
    used += static_cast<size_t>(n);
    if (n == 0) break;
    if (used > limit)
      return fail(EFBIG, name + " is larger than " + std::to_string(limit) + " bytes");
  }
  content.resize(used);
  return content;
}

}  // namespace

Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, mode_t mode) {
  for (;;) {
    UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (fd) return fd;
    if (errno != EINTR) return fail_errno("open " + path.string());
  }
}

Result<std::string> read_file(const std::filesystem::path& path, size_t limit) {
  STRATA_TRY(const UniqueFd fd, open_file(path, O_RDONLY));
  return read_all(fd.get(), path.string(), limit);
}

Result<std::optional<std::string>> read_file_if_exists(const std::filesystem::path& path,
                                                       size_t limit) {
  auto content = read_file(path, limit);
  if (content) return std::optional(*std::move(content));
  if (content.error().code == ENOENT) return std::optional<std::string>();
  return std::unexpected(std::move(content).error());
}

Result<void> write_control(const std::filesystem::path& path, std::string_view text) {
  STRATA_TRY(const UniqueFd fd, open_file(path, O_WRONLY));
  const ssize_t n = ::write(fd.get(), text.data(), text.size());
  if (n < 0) return fail_errno("write '" + std::string(text) + "' to " + path.string());
  return {};
}

Result<void> write_file_atomic(const std::filesystem::path& path, std::string_view content,
                               Durability durability, mode_t mode) {
  std::string aside = path.string() + ".XXXXXX";
  UniqueFd fd(::mkostemp(aside.data(), O_CLOEXEC));
  if (!fd) return fail_errno("create " + aside);
  Undo undo;
  undo.add([&] { ::unlink(aside.c_str()); });
  while (!content.empty()) {
    const ssize_t n = ::write(fd.get(), content.data(), content.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return fail_errno("write " + aside);
    }
    content.remove_prefix(static_cast<size_t>(n));
  }
  if (::fchmod(fd.get(), mode) < 0) return fail_errno("chmod " + aside);
  if (durability == Durability::kDurable && ::fsync(fd.get()) < 0)
    return fail_errno("fsync " + aside);
  if (::rename(aside.c_str(), path.c_str()) < 0)
    return fail_errno("rename " + aside + " to " + path.string());
  undo.release();
  if (durability == Durability::kDurable) return fsync_dir(path.parent_path());
  return {};
}

Result<void> fsync_dir(const std::filesystem::path& dir) {
  STRATA_TRY(const UniqueFd fd, open_file(dir.empty() ? "." : dir, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) < 0) return fail_errno("fsync " + dir.string());
  return {};
}

Result<void> make_dirs(const std::filesystem::path& path, mode_t mode) {
  if (path.empty() || ::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == ENOENT) {
    STRATA_CHECK(make_dirs(path.parent_path(), mode));
    if (::mkdir(path.c_str(), mode) == 0) return {};
  }
  const int code = errno;
  struct stat st {};
  if (code == EEXIST && ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return {};
  return fail_errno("create directory " + path.string(), code);
}

Result<std::filesystem::path> make_temp_dir(const std::filesystem::path& parent,
                                            std::string_view prefix) {
  std::string pattern = (parent / std::string(prefix)).string() + "XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) return fail_errno("create directory " + pattern);
  return std::filesystem::path(pattern);
}

}  // namespace strata
