#include "runtime/image/tree_check.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <string_view>

#include "runtime/image/archive_input.h"
#include "runtime/image/pipeline.h"
#include "unionfs/base/file.h"

namespace strata::image {
namespace {

constexpr std::string_view kWhiteoutPrefix = ".wh.";
constexpr std::string_view kOpaqueMarker = ".wh..wh..opq";

// "./usr//bin/" as "usr/bin"; "" is the layer itself.
std::string plain_path(std::string_view raw) {
  std::string path;
  while (!raw.empty()) {
    const size_t slash = raw.find('/');
    const auto part = raw.substr(0, slash);
    raw.remove_prefix(slash == std::string_view::npos ? raw.size() : slash + 1);
    if (!part.empty() && part != ".") path.append(path.empty() ? "" : "/").append(part);
  }
  return path;
}

std::string quoted(std::string text) {
  for (char& c : text)
    if (c < 0x20 || c >= 0x7F) c = '?';
  return "'" + text + "'";
}

class TreeCheck {
 public:
  explicit TreeCheck(int tree) : tree_(tree) {}

  void check(archive_entry* entry) {
    const char* raw = ::archive_entry_pathname(entry);
    const std::string path = plain_path(raw != nullptr ? raw : "");
    const size_t name_at = path.rfind('/') + 1;  // npos + 1 is 0
    const std::string_view name = std::string_view(path).substr(name_at);
    if (name == kOpaqueMarker) {
      look_for(path.substr(0, name_at), S_IFDIR, nullptr);
    } else if (name.starts_with(kWhiteoutPrefix)) {
      // A device, unless the layer has a file of that name itself.
      const auto hidden = name.substr(kWhiteoutPrefix.size());
      look_for(path.substr(0, name_at).append(hidden), 0, nullptr);
    } else if (::archive_entry_hardlink(entry) != nullptr) {
      look_for(path, 0, nullptr);
    } else {
      look_for(path, ::archive_entry_filetype(entry), entry);
    }
  }

  [[nodiscard]] std::string fault() const {
    if (faults_.empty()) return "";
    const auto& [path, what] = *faults_.begin();
    const size_t more = faults_.size() - 1;
    return quoted(path) + what + (more > 0 ? ", and " + std::to_string(more) + " more" : "");
  }

 private:
  // `type` 0: any. A later entry of the same name is what counts.
  void look_for(const std::string& path, mode_t type, archive_entry* entry) {
    forget(path, type == S_IFDIR);
    struct stat st {};
    if (::fstatat(tree_, path.empty() ? "." : path.c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0) {
      faults_[path] = " is missing";
    } else if (type != 0 && (st.st_mode & S_IFMT) != type) {
      faults_[path] = " is of another type";
    } else if (type == S_IFREG && entry != nullptr && st.st_size != ::archive_entry_size(entry)) {
      faults_[path] = " has " + std::to_string(st.st_size) + " bytes instead of " +
                      std::to_string(::archive_entry_size(entry));
    }
  }

  // What this entry replaces; a directory is merged with what is below it.
  void forget(const std::string& path, bool is_directory) {
    faults_.erase(path);
    if (is_directory) return;
    const std::string below = path + "/";
    for (auto it = faults_.lower_bound(below); it != faults_.end() && it->first.starts_with(below);)
      it = faults_.erase(it);
  }

  int tree_;
  std::map<std::string, std::string> faults_;
};

}  // namespace

Result<std::string> tree_fault(ByteSource& tar, const std::filesystem::path& tree) {
  STRATA_TRY(const UniqueFd fd, open_file(tree, O_RDONLY | O_DIRECTORY));
  TreeCheck check(fd.get());
  ArchiveInput input(tar, ArchiveInput::Kind::kTar);
  while (true) {
    STRATA_TRY(archive_entry* const entry, input.next());
    if (entry == nullptr) break;
    check.check(entry);
  }
  NullSink nowhere;
  STRATA_CHECK(copy_stream(tar, nowhere));
  return check.fault();
}

}  // namespace strata::image
