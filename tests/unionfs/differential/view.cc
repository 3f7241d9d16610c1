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
#include "unionfs/files/tree_path.h"

namespace strata::testing {
namespace {

struct File {
  std::string path;  // "" is the root
  struct stat status {};
  std::string target;
  std::string content;
  std::vector<std::pair<std::string, std::string>> xattrs;
  unsigned char type = DT_DIR;  // as the directory said
  ino_t listed = 0;             // the same; 0 for the root
};

struct Listed {
  unsigned char type = DT_DIR;
  ino_t inode = 0;
};

std::string read_content(int fd) {
  std::string content(size_t{1} << 17, '\0');
  const ssize_t got = ::pread(fd, content.data(), content.size(), 0);
  content.resize(got < 0 ? 0 : static_cast<size_t>(got));
  return got < 0 ? "<" + std::to_string(errno) + ">" : content;
}

std::string hash(const std::string& text) {
  return std::to_string(std::hash<std::string>()(text) % 1'000'000);
}

std::string describe(const File& file, const ViewOptions& options) {
  const struct stat& st = file.status;
  std::string text = "mode " + std::to_string(st.st_mode) + " owner " + std::to_string(st.st_uid) +
                     ":" + std::to_string(st.st_gid);
  if (IFTODT(st.st_mode) != file.type) text += " listed as " + std::to_string(file.type);
  if (options.lower_inodes.contains(st.st_ino)) text += " inode " + std::to_string(st.st_ino);
  if (file.listed != 0 && file.listed != st.st_ino)
    text +=
        " listed with inode " + std::to_string(file.listed) + " not " + std::to_string(st.st_ino);
  if (S_ISREG(st.st_mode))
    text += " size " + std::to_string(st.st_size) + " content " + hash(file.content);
  if (S_ISCHR(st.st_mode)) text += " device " + std::to_string(st.st_rdev);
  if (S_ISLNK(st.st_mode)) text += " -> " + file.target;
  if (!S_ISDIR(st.st_mode)) text += " links " + std::to_string(st.st_nlink);
  text += st.st_mtim.tv_sec < options.start ? " mtime " + std::to_string(st.st_mtim.tv_sec) + "." +
                                                  std::to_string(st.st_mtim.tv_nsec)
                                            : " new";
  auto xattrs = file.xattrs;
  std::ranges::sort(xattrs);
  for (const auto& [name, value] : xattrs) text.append(" ").append(name).append("=").append(value);
  return text;
}

// Adds, to files with several names, which names those are.
View view_of(const std::vector<File>& files, const ViewOptions& options) {
  std::map<ino_t, std::string> names;
  for (const File& file : files)
    if (!S_ISDIR(file.status.st_mode)) names[file.status.st_ino].append(" ").append(file.path);
  View view;
  for (const File& file : files) {
    std::string text = describe(file, options);
    if (!S_ISDIR(file.status.st_mode) && file.status.st_nlink > 1)
      text += " same as" + names[file.status.st_ino];
    view["/" + file.path] = text;
  }
  return view;
}

void walk_engine(unionfs::Union& merged, const std::string& path, Listed listed,
                 std::vector<File>& files) {
  File file{.path = path, .type = listed.type, .listed = listed.inode};
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
    walk_engine(merged, unionfs::join_path(path, entry.name), {entry.type, entry.inode}, files);
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

void walk_kernel(const std::string& root, const std::string& path, Listed listed,
                 std::vector<File>& files) {
  File file{.path = path, .type = listed.type, .listed = listed.inode};
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
  std::map<std::string, Listed> entries;
  {
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(real.c_str()), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") entries[name] = {entry->d_type, entry->d_ino};
    }
  }
  for (const auto& [name, entry] : entries)
    walk_kernel(root, unionfs::join_path(path, name), entry, files);
}

}  // namespace

View engine_view(unionfs::Union& merged, const ViewOptions& options) {
  std::vector<File> files;
  walk_engine(merged, "", {}, files);
  return view_of(files, options);
}

View kernel_view(const std::filesystem::path& root, const ViewOptions& options) {
  std::vector<File> files;
  walk_kernel(root, "", {}, files);
  return view_of(files, options);
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
