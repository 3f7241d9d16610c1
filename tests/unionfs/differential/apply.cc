#include "tests/unionfs/differential/apply.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "unionfs/base/unique_fd.h"

namespace strata::testing {
namespace {

// Arguments of the calls, drawn from Operation::number: the same for both sides.
mode_t mode_of(unsigned number) {
  static constexpr mode_t kModes[] = {0644, 0600, 0755, 0700, 04755, 02755, 01777, 0000};
  return kModes[number % std::size(kModes)];
}
std::string content_of(unsigned number) {
  return "content " + std::to_string(number) + std::string(size_t{number % 7} * 1000, '.');
}
uid_t owner_of(unsigned number) {
  return number % 3 * 1000;
}
off_t size_of(unsigned number) {
  return number % 4 == 0 ? 0 : number;
}
timespec time_of(unsigned number) {
  return {.tv_sec = 1'000'000 + number, .tv_nsec = number};
}

std::string describe(const struct stat& st) {
  std::string text = std::to_string(st.st_mode) + " " + std::to_string(st.st_uid) + ":" +
                     std::to_string(st.st_gid);
  if (S_ISREG(st.st_mode)) text += " " + std::to_string(st.st_size);
  if (!S_ISDIR(st.st_mode)) text += " links " + std::to_string(st.st_nlink);
  return text;
}

Outcome wrote(int fd, const std::string& content) {
  if (::pwrite(fd, content.data(), content.size(), 0) < 0) return {errno, {}};
  return {};
}

Outcome read(int fd) {
  std::string content(size_t{1} << 17, '\0');
  const ssize_t got = ::pread(fd, content.data(), content.size(), 0);
  if (got < 0) return {errno, {}};
  content.resize(static_cast<size_t>(got));
  return {0, content};
}

std::string joined(std::vector<std::string> names) {
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return text;
}

struct OpenArguments {
  int flags;
  mode_t mode;
};

OpenArguments open_arguments(const Operation& operation) {
  switch (operation.call) {
    case Call::kCreate:
      return {O_WRONLY | O_CREAT | O_EXCL, mode_of(operation.number)};
    case Call::kOverwrite:
      return {O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK, mode_of(operation.number)};
    case Call::kWrite:
      return {O_WRONLY | O_NONBLOCK, 0};
    default:
      return {O_RDONLY | O_NONBLOCK, 0};
  }
}

Outcome use(int fd, const Operation& operation) {
  return operation.call == Call::kRead ? read(fd) : wrote(fd, content_of(operation.number));
}

template <class T>
Outcome outcome(const Result<T>& result) {
  return {result ? 0 : result.error().code, {}};
}

Outcome outcome(int result) {
  return {result < 0 ? errno : 0, {}};
}

}  // namespace

Outcome apply_to_engine(unionfs::Union& merged, const Operation& operation) {
  using unionfs::Follow;
  const std::string& path = operation.path;
  const unsigned number = operation.number;
  switch (operation.call) {
    case Call::kCreate:
    case Call::kWrite:
    case Call::kOverwrite:
    case Call::kRead: {
      const auto [flags, mode] = open_arguments(operation);
      const auto fd = merged.open(path, flags, mode);
      return fd ? use(fd->get(), operation) : outcome(fd);
    }
    case Call::kMkdir:
      return outcome(merged.make_directory(path, mode_of(number)));
    case Call::kMknod:
      return outcome(merged.make_node(path, S_IFCHR | mode_of(number), makedev(number % 3, 0)));
    case Call::kMkfifo:
      return outcome(merged.make_node(path, S_IFIFO | mode_of(number), 0));
    case Call::kSymlink:
      return outcome(merged.make_symlink(operation.other, path));
    case Call::kLink:
      return outcome(merged.link(path, operation.other));
    case Call::kUnlink:
      return outcome(merged.unlink(path));
    case Call::kRmdir:
      return outcome(merged.remove_directory(path));
    case Call::kRename:
      return outcome(merged.rename(path, operation.other));
    case Call::kRenameNoReplace:
      return outcome(merged.rename(path, operation.other, RENAME_NOREPLACE));
    case Call::kRenameExchange:
      return outcome(merged.rename(path, operation.other, RENAME_EXCHANGE));
    case Call::kChmod:
      return outcome(merged.set_mode(path, mode_of(number)));
    case Call::kChown:
      return outcome(merged.set_owner(path, owner_of(number), owner_of(number / 3), Follow::kNo));
    case Call::kUtimens: {
      const timespec times[2] = {time_of(number), time_of(number + 1)};
      return outcome(merged.set_times(path, times, Follow::kNo));
    }
    case Call::kTruncate:
      return outcome(merged.truncate(path, size_of(number)));
    case Call::kSetXattr:
      return outcome(merged.set_xattr(path, operation.other, std::to_string(number), 0));
    case Call::kGetXattr: {
      const auto value = merged.get_xattr(path, operation.other);
      return value ? Outcome{0, *value} : outcome(value);
    }
    case Call::kRemoveXattr:
      return outcome(merged.remove_xattr(path, operation.other));
    case Call::kReadlink: {
      const auto target = merged.read_link(path);
      return target ? Outcome{0, *target} : outcome(target);
    }
    case Call::kStat: {
      const auto status = merged.stat(path, Follow::kYes);
      return status ? Outcome{0, describe(*status)} : outcome(status);
    }
    case Call::kList: {
      const auto entries = merged.read_directory(path);
      if (!entries) return outcome(entries);
      std::vector<std::string> names;
      for (const auto& entry : *entries) names.push_back(entry.name);
      return {0, joined(std::move(names))};
    }
  }
  return {};
}

Outcome apply_to_kernel(const Operation& operation) {
  const char* path = operation.path.c_str();
  const char* other = operation.other.c_str();
  const unsigned number = operation.number;
  switch (operation.call) {
    case Call::kCreate:
    case Call::kWrite:
    case Call::kOverwrite:
    case Call::kRead: {
      const auto [flags, mode] = open_arguments(operation);
      const UniqueFd fd(::open(path, flags | O_CLOEXEC, mode));
      if (!fd) return {errno, {}};
      struct stat status {};
      // The engine opens no directories.
      if (::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode)) return {EISDIR, {}};
      return use(fd.get(), operation);
    }
    case Call::kMkdir:
      return outcome(::mkdir(path, mode_of(number)));
    case Call::kMknod:
      return outcome(::mknod(path, S_IFCHR | mode_of(number), makedev(number % 3, 0)));
    case Call::kMkfifo:
      return outcome(::mkfifo(path, mode_of(number)));
    case Call::kSymlink:
      return outcome(::symlink(other, path));
    case Call::kLink:
      return outcome(::link(path, other));
    case Call::kUnlink:
      return outcome(::unlink(path));
    case Call::kRmdir:
      return outcome(::rmdir(path));
    case Call::kRename:
      return outcome(::rename(path, other));
    case Call::kRenameNoReplace:
      return outcome(::renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_NOREPLACE));
    case Call::kRenameExchange:
      return outcome(::renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE));
    case Call::kChmod:
      return outcome(::chmod(path, mode_of(number)));
    case Call::kChown:
      return outcome(::lchown(path, owner_of(number), owner_of(number / 3)));
    case Call::kUtimens: {
      const timespec times[2] = {time_of(number), time_of(number + 1)};
      return outcome(::utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW));
    }
    case Call::kTruncate:
      return outcome(::truncate(path, size_of(number)));
    case Call::kSetXattr: {
      const std::string value = std::to_string(number);
      return outcome(::lsetxattr(path, other, value.data(), value.size(), 0));
    }
    case Call::kGetXattr: {
      char value[64];
      const ssize_t size = ::lgetxattr(path, other, value, sizeof value);
      if (size < 0) return {errno, {}};
      return {0, std::string(value, static_cast<size_t>(size))};
    }
    case Call::kRemoveXattr:
      return outcome(::lremovexattr(path, other));
    case Call::kReadlink: {
      char target[4096];
      const ssize_t size = ::readlink(path, target, sizeof target);
      if (size < 0) return {errno, {}};
      return {0, std::string(target, static_cast<size_t>(size))};
    }
    case Call::kStat: {
      struct stat status {};
      if (::stat(path, &status) < 0) return {errno, {}};
      return {0, describe(status)};
    }
    case Call::kList: {
      const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(path), ::closedir);
      if (!dir) return {errno, {}};
      std::vector<std::string> names;
      while (const dirent* entry = ::readdir(dir.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") names.push_back(name);
      }
      return {0, joined(std::move(names))};
    }
  }
  return {};
}

}  // namespace strata::testing
