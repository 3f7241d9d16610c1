#include "tests/unionfs/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "unionfs/base/file.h"

namespace strata::testing {
namespace {

std::string printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const bool plain = c >= ' ' && c <= '~';
    text += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string xattrs_of(const std::filesystem::path& path) {
  std::string names(65536, '\0');
  const ssize_t length = ::llistxattr(path.c_str(), names.data(), names.size());
  if (length <= 0) return "";
  std::vector<std::string> found;
  for (const char* name = names.data(); name < names.data() + length;
       name += std::string_view(name).size() + 1) {
    std::string value(65536, '\0');
    const ssize_t size = ::lgetxattr(path.c_str(), name, value.data(), value.size());
    value.resize(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    found.push_back(fmt::format(" {}={}", printable(name), printable(value)));
  }
  std::ranges::sort(found);
  return fmt::format("{}", fmt::join(found, ""));
}

std::string holes_of(const std::filesystem::path& path, off_t size) {
  const auto fd = open_file(path, O_RDONLY);
  if (!fd) return " unreadable";
  std::string text;
  for (off_t at = 0; at < size;) {
    const off_t data = ::lseek(fd->get(), at, SEEK_DATA);
    if (data < 0) break;
    at = ::lseek(fd->get(), data, SEEK_HOLE);
    text += fmt::format(" {}-{}", data, at);
  }
  return " data" + text;
}

std::string content_of(const std::filesystem::path& path, off_t size) {
  constexpr off_t kReadable = off_t{64} << 20;  // giant sparse files are told apart by their holes
  if (size > kReadable) return "";
  const auto content = read_file(path, kReadable);
  return fmt::format(" content {:x}", content ? std::hash<std::string>()(*content) : 0);
}

std::string describe(const std::filesystem::path& path, const struct stat& st,
                     const ScanOptions& options) {
  if (S_ISCHR(st.st_mode) && st.st_rdev == 0 && !options.whiteout_attributes) return "whiteout";
  std::string text = fmt::format("{:o} {}:{} {}.{:09}", st.st_mode, st.st_uid, st.st_gid,
                                 st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  if (S_ISLNK(st.st_mode)) text += " -> " + printable(std::filesystem::read_symlink(path).native());
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
    text += fmt::format(" device {}:{}", major(st.st_rdev), minor(st.st_rdev));
  if (S_ISREG(st.st_mode)) {
    text += fmt::format(" {} bytes", st.st_size) + content_of(path, st.st_size);
    if (options.holes) text += holes_of(path, st.st_size);
  }
  return text + xattrs_of(path);
}

}  // namespace

Tree scan_tree(const std::filesystem::path& root, const ScanOptions& options) {
  Tree tree;
  std::map<std::pair<dev_t, ino_t>, std::vector<std::string>> linked;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    paths.push_back(entry.path());
  std::ranges::sort(paths);
  if (options.root) paths.insert(paths.begin(), root);
  for (const auto& path : paths) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) < 0) continue;
    const std::string name = path == root ? "." : printable(path.lexically_relative(root).native());
    tree.emplace(name, describe(path, st, options));
    if (options.links && !S_ISDIR(st.st_mode) && st.st_nlink > 1)
      linked[{st.st_dev, st.st_ino}].push_back(name);
  }
  for (const auto& [inode, names] : linked) {
    // Overlays keep the link count of files that have lost names.
    for (const std::string& name : names)
      if (names.size() > 1) tree[name] += " = " + names.front();
  }
  return tree;
}

std::string differences(const Tree& expected, const Tree& actual) {
  std::string text;
  for (const auto& [path, description] : expected) {
    const auto found = actual.find(path);
    if (found == actual.end())
      text += fmt::format("{}: missing\n", path);
    else if (found->second != description)
      text += fmt::format("{}:\n  expected {}\n  actual   {}\n", path, description, found->second);
  }
  for (const auto& [path, description] : actual) {
    if (!expected.contains(path)) text += fmt::format("{}: not expected: {}\n", path, description);
  }
  return text;
}

}  // namespace strata::testing
