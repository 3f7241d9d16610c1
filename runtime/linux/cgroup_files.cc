#include "runtime/linux/cgroup_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>

namespace strata::linux {

Result<void> write_cgroup_file(const Cgroup::Directory& directory, const char* file,
                               std::string_view text) {
  const UniqueFd fd(::openat(directory.fd.get(), file, O_WRONLY | O_CLOEXEC));
  if (fd && ::write(fd.get(), text.data(), text.size()) >= 0) return {};
  return fail_errno("write '" + std::string(text) + "' to " + directory.path + "/" + file);
}

std::optional<std::string> read_cgroup_file(const Cgroup::Directory& directory, const char* file) {
  const UniqueFd fd(::openat(directory.fd.get(), file, O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  std::string content;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0) return std::nullopt;
    if (n == 0) return content;
    content.append(buffer.data(), static_cast<size_t>(n));
  }
}

std::optional<uint64_t> read_cgroup_number(const Cgroup::Directory& directory, const char* file,
                                           std::string_view key) {
  const auto content = read_cgroup_file(directory, file);
  if (!content) return std::nullopt;
  std::string_view text = *content;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!key.empty()) {
      if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ' ') continue;
      line.remove_prefix(key.size() + 1);
    }
    uint64_t number = 0;
    if (std::from_chars(line.data(), line.data() + line.size(), number).ec == std::errc())
      return number;
  }
  return std::nullopt;
}

}  // namespace strata::linux
