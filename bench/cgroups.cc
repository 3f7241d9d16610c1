#include "bench/cgroups.h"

#include <unistd.h>

#include <filesystem>
#include <vector>

namespace strata::bench {
namespace {

constexpr const char* kRoot = "/sys/fs/cgroup";

std::vector<std::filesystem::path> directories_in(const std::filesystem::path& path) {
  std::vector<std::filesystem::path> found;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(path, ec))
    if (!entry.is_symlink(ec) && entry.is_directory(ec)) found.push_back(entry.path());
  return found;
}

// Children first. The files of a cgroup go with it.
Result<void> remove_tree_of_cgroups(const std::filesystem::path& cgroup) {
  for (const auto& child : directories_in(cgroup)) STRATA_CHECK(remove_tree_of_cgroups(child));
  if (::rmdir(cgroup.c_str()) < 0 && errno != ENOENT)
    return fail_errno("remove cgroup " + cgroup.string());
  return {};
}

}  // namespace

Result<void> remove_cgroups(const std::string& prefix) {
  Result<void> result;
  auto hierarchies = directories_in(kRoot);  // v1
  hierarchies.emplace_back(kRoot);           // v2
  for (const auto& hierarchy : hierarchies) {
    for (const auto& cgroup : directories_in(hierarchy)) {
      const auto name = cgroup.filename().string();
      if (name != prefix && !name.starts_with(prefix + "-")) continue;
      if (auto removed = remove_tree_of_cgroups(cgroup); !removed) result = std::move(removed);
    }
  }
  return result;
}

}  // namespace strata::bench
