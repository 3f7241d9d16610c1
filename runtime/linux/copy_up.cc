#include "runtime/linux/copy_up.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "unionfs/base/unique_fd.h"

namespace strata::linux {
namespace {

int copy_content(int from, int to) {
  constexpr size_t kChunk = size_t{1} << 20;
  for (;;) {
    const ssize_t n = ::sendfile(to, from, nullptr, kChunk);
    if (n == 0) return 0;
    if (n < 0 && errno != EINTR) return -1;
  }
}

int copy_file(int from, int to, const char* name) {
  const UniqueFd in(::openat(from, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  const UniqueFd out(::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  return in && out ? copy_content(in.get(), out.get()) : -1;
}

int copy_link(int from, int to, const char* name) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(from, name, target.data(), target.size() - 1);
  return size < 0 ? -1 : ::symlinkat(target.data(), to, name);
}

// After the content: a directory's own times change while it is filled.
int copy_attributes(int to, const char* name, const struct stat& st) {
  if (::fchownat(to, name, st.st_uid, st.st_gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
    return -1;
  if (!S_ISLNK(st.st_mode)) {  // chmod(2) comes last: chown(2) takes set-ID bits away
    const int done = *name == '\0' ? ::fchmod(to, st.st_mode & 07777)
                                   : ::fchmodat(to, name, st.st_mode & 07777, 0);
    if (done < 0) return -1;
  }
  const std::array times{st.st_atim, st.st_mtim};
  return *name == '\0' ? ::futimens(to, times.data())
                       : ::utimensat(to, name, times.data(), AT_SYMLINK_NOFOLLOW);
}

Result<void> copy_directory(int from, int to, const std::string& path);

Result<void> copy_entry(int from, int to, const char* name, const std::string& path) {
  struct stat st {};
  if (::fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0) return fail_errno("copy " + path);
  if (S_ISDIR(st.st_mode)) {
    if (::mkdirat(to, name, 0700) < 0) return fail_errno("copy " + path);
    const UniqueFd in(::openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const UniqueFd out(::openat(to, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!in || !out) return fail_errno("copy " + path);
    return copy_directory(in.get(), out.get(), path);
  }
  if (S_ISSOCK(st.st_mode)) return {};
  const int made = S_ISREG(st.st_mode)   ? copy_file(from, to, name)
                   : S_ISLNK(st.st_mode) ? copy_link(from, to, name)
                                         : ::mknodat(to, name, st.st_mode, st.st_rdev);
  if (made < 0 || copy_attributes(to, name, st) < 0) return fail_errno("copy " + path);
  return {};
}

Result<void> copy_directory(int from, int to, const std::string& path) {
  struct stat st {};
  const int duplicate = ::openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(
      duplicate < 0 ? nullptr : ::fdopendir(duplicate), ::closedir);
  if (!entries || ::fstat(from, &st) < 0) return fail_errno("read " + path);
  for (errno = 0; const dirent* entry = ::readdir(entries.get()); errno = 0) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    STRATA_CHECK(copy_entry(from, to, entry->d_name, path + "/" + std::string(name)));
  }
  if (errno != 0 || copy_attributes(to, "", st) < 0) return fail_errno("copy " + path);
  return {};
}

}  // namespace

Result<void> copy_up(int from, int to) {
  const UniqueFd opened(::openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));  // O_PATH it may be
  if (!opened) return fail_errno("open the new tmpfs");
  return copy_directory(from, opened.get(), "");
}

}  // namespace strata::linux
