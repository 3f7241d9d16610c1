#include "runtime/linux/cgroup_hierarchies.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

constexpr const char* kUsualMount = "/sys/fs/cgroup";

constexpr auto kV1Controllers = std::to_array<std::string_view>(
    {"memory", "cpu", "cpuacct", "pids", "devices", "freezer", "cpuset", "blkio", "net_cls",
     "net_prio", "perf_event", "hugetlb", "rdma", "misc"});

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// mountinfo writes blanks, tabs, newlines and backslashes in paths as three octal digits.
std::string unescape(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                 (text[i + 3] - '0'));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

bool leads_to_it(const CgroupHierarchy& hierarchy) {
  struct statfs fs {};
  return ::statfs(hierarchy.mount.c_str(), &fs) == 0 &&
         fs.f_type == (hierarchy.unified ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
}

}  // namespace

bool CgroupHierarchy::has(std::string_view controller) const {
  return std::find(controllers.begin(), controllers.end(), controller) != controllers.end();
}

const CgroupHierarchies& CgroupHierarchies::host() {
  static const CgroupHierarchies hierarchies = [] {
    // With nothing but v2, the usual case, there is nothing to search for.
    struct statfs fs {};
    if (::statfs(kUsualMount, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
      CgroupHierarchies only;
      only.all_.push_back({.mount = kUsualMount, .unified = true});
      return only;
    }
    const auto text = read_file("/proc/self/mountinfo");
    return text ? parse(*text, leads_to_it) : CgroupHierarchies();
  }();
  return hierarchies;
}

CgroupHierarchies CgroupHierarchies::parse(std::string_view mountinfo, IsVisible is_visible) {
  CgroupHierarchies found;
  for (const auto line : split(mountinfo, '\n')) {
    // 36 35 0:31 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    const auto front = split(line.substr(0, dash), ' ');
    const auto back = split(line.substr(dash + 3), ' ');
    if (front.size() < 5 || back.size() < 3) continue;
    CgroupHierarchy hierarchy{.mount = unescape(front[4])};
    if (back[0] == "cgroup2") {
      hierarchy.unified = true;
      if (found.unified() != nullptr) continue;
    } else if (back[0] == "cgroup") {
      for (const auto option : split(back[2], ','))
        if (std::find(kV1Controllers.begin(), kV1Controllers.end(), option) != kV1Controllers.end())
          hierarchy.controllers.emplace_back(option);
      if (hierarchy.controllers.empty() || found.v1(hierarchy.controllers.front()) != nullptr)
        continue;
    } else {
      continue;
    }
    if (is_visible(hierarchy)) found.all_.push_back(std::move(hierarchy));
  }
  return found;
}

const CgroupHierarchy* CgroupHierarchies::unified() const {
  for (const auto& hierarchy : all_)
    if (hierarchy.unified) return &hierarchy;
  return nullptr;
}

const CgroupHierarchy* CgroupHierarchies::v1(std::string_view controller) const {
  for (const auto& hierarchy : all_)
    if (hierarchy.has(controller)) return &hierarchy;
  return nullptr;
}

}  // namespace strata::linux
