#include "tests/unionfs/differential/view.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "unionfs/base/unique_fd.h"

namespace strata::testing {
namespace {

struct File {
  std::string path;  // "" is the root
  struct stat status {};
  std::string target;
  std::string content;
  std::vector<std::pair<std::string, std::string>> xattrs;
  unsigned char type = DT_DIR;  // as the directory said
};

std::string read_content(int fd) {
  std::string content(size_t{1} << 17, '\0');
  const ssize_t got = ::pread(fd, content.data(), content.size(), 0);
  content.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return got < 0 ? "<" + std::to_string(errno) + ">" : content;
}

std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

std::string hash(const std::string& text) {
  return std::to_string(std::hash<std::string>()(text) % 1'000'000);
}

std::string describe(const File& file, time_t start) {
  const struct stat& st = file.status;
  std::string text = "mode " + std::to_string(st.st_mode) + " owner " + std::to_string(st.st_uid) +
                     ":" + std::to_string(st.st_gid);
  if (IFTODT(st.st_mode) != file.type) text += " listed as " + std::to_string(file.type);
  if (S_ISREG(st.st_mode))
    text += " size " + std::to_string(st.st_size) + " content " + hash(file.content);
  if (S_ISCHR(st.st_mode)) text += " device " + std::to_string(st.st_rdev);
  if (S_ISLNK(st.st_mode)) text += " -> " + file.target;
  if (!S_ISDIR(st.st_mode)) text += " links " + std::to_string(st.st_nlink);
  text += st.st_mtim.tv_sec < start ? " mtime " + std::to_string(st.st_mtim.tv_sec) + "." +
                                          std::to_string(st.st_mtim.tv_nsec)
                                    : " new";
  auto xattrs = file.xattrs;
  std::ranges::sort(xattrs);
  for (const auto& [name, value] : xattrs) text.append(" ").append(name).append("=").append(value);
  return text;
}

// Adds, to files with several names, which names those are.
View view_of(const std::vector<File>& files, time_t start) {
  std::map<ino_t, std::string> names;
  for (const File& file : files)
    if (!S_ISDIR(file.status.st_mode)) names[file.status.st_ino].append(" ").append(file.path);
  View view;
  for (const File& file : files) {
    std::string text = describe(file, start);
    if (!S_ISDIR(file.status.st_mode) && file.status.st_nlink > 1)
      text += " same as" + names[file.status.st_ino];
    view["/" + file.path] = text;
  }
  return view;
}

void walk_engine(unionfs::Union& merged, const std::string& path, unsigned char type,
                 std::vector<File>& files) {
  File file{.path = path, .type = type};
  const std::string name = "/" + path;
  if (auto status = merged.stat(name)) file.status = *status;
  if (auto xattrs = merged.list_xattrs(name)) {
    for (const std::string& xattr : *xattrs)
      file.xattrs.emplace_back(xattr, merged.get_xattr(name, xattr).value_or("<none>"));
  }
  if (S_ISLNK(file.status.st_mode)) file.target = merged.read_link(name).value_or("<none>");
  if (S_ISREG(file.status.st_mode)) {
    auto fd = merged.open(name, O_RDONLY);
    file.content = fd ? read_content(fd->get()) : "<cannot be opened>";
  }
  const bool is_directory = S_ISDIR(file.status.st_mode);
  files.push_back(std::move(file));
  if (!is_directory) return;
  auto entries = merged.read_directory(name);
  if (!entries) return;
  std::ranges::sort(*entries, {}, &unionfs::DirectoryEntry::name);
  for (const auto& entry : *entries)
    walk_engine(merged, below(path, entry.name), entry.type, files);
}

std::vector<std::pair<std::string, std::string>> read_xattrs(const std::string& path) {
  std::vector<std::pair<std::string, std::string>> xattrs;
  std::string names(4096, '\0');
  const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const std::string name = names.c_str() + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    std::string value(4096, '\0');
    const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    value.resize(length < 0 ? 0 : static_cast<size_t>(length));
    xattrs.emplace_back(name, value);
  }
  return xattrs;
}

void walk_kernel(const std::string& root, const std::string& path, unsigned char type,
                 std::vector<File>& files) {
  File file{.path = path, .type = type};
  const std::string real = root + "/" + path;
  (void)::lstat(path.empty() ? root.c_str() : real.c_str(), &file.status);
  file.xattrs = read_xattrs(real);
  if (S_ISLNK(file.status.st_mode)) file.target = std::filesystem::read_symlink(real);
  if (S_ISREG(file.status.st_mode)) {
    const UniqueFd fd(::open(real.c_str(), O_RDONLY | O_CLOEXEC));
    file.content = fd ? read_content(fd.get()) : "<cannot be opened>";
  }
  const bool is_directory = S_ISDIR(file.status.st_mode);
  files.push_back(std::move(file));
  if (!is_directory) return;
  std::map<std::string, unsigned char> entries;
  {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(real.c_str()), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") entries[name] = entry->d_type;
    }
  }
  for (const auto& [name, entry_type] : entries)
    walk_kernel(root, below(path, name), entry_type, files);
}

}  // namespace

View engine_view(unionfs::Union& merged, time_t start) {
  std::vector<File> files;
  walk_engine(merged, "", DT_DIR, files);
  return view_of(files, start);
}

View kernel_view(const std::filesystem::path& root, time_t start) {
  std::vector<File> files;
  walk_kernel(root, "", DT_DIR, files);
  return view_of(files, start);
}

std::string difference(const View& engine, const View& kernel) {
  std::string text;
  for (const auto& [path, description] : engine) {
    const auto other = kernel.find(path);
    if (other == kernel.end()) {
      text.append(path).append(": only in the engine's view: ").append(description).append("\n");
    } else if (other->second != description) {
      text.append(path).append(":\n  engine ").append(description);
      text.append("\n  kernel ").append(other->second).append("\n");
    }
  }
  for (const auto& [path, description] : kernel) {
    if (!engine.contains(path))
      text.append(path).append(": only in the kernel's view: ").append(description).append("\n");
  }
  return text;
}

}  // namespace strata::testing
