// Which cgroup hierarchies this host has mounted: v1 controllers, the v2 tree, or both ("hybrid").
//
// Source: proc_pid_mountinfo(5); Documentation/admin-guide/cgroup-v1/cgroups.rst, cgroup-v2.rst.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace strata::linux {

struct CgroupHierarchy {
  std::string mount;                     // where it is mounted
  std::vector<std::string> controllers;  // v1 controllers mounted together; empty for the v2 tree
  bool unified = false;                  // the v2 tree

  [[nodiscard]] bool has(std::string_view controller) const;
};

class CgroupHierarchies {
 public:
  // The host's. Read once; thread-safe.
  [[nodiscard]] static const CgroupHierarchies& host();

  // Whether a mount's path leads to it: another mount may cover it, which mountinfo doesn't say.
  using IsVisible = bool (*)(const CgroupHierarchy& hierarchy);

  // From the text of a mountinfo file. Of several visible mounts of one hierarchy the first counts;
  // named v1 hierarchies without controllers ("name=systemd") are none of ours.
  [[nodiscard]] static CgroupHierarchies parse(
      std::string_view mountinfo,
      IsVisible is_visible = [](const CgroupHierarchy&) { return true; });

  [[nodiscard]] const std::vector<CgroupHierarchy>& all() const { return all_; }

  // The v2 tree, or nullptr.
  [[nodiscard]] const CgroupHierarchy* unified() const;

  // The v1 hierarchy of a controller, or nullptr.
  [[nodiscard]] const CgroupHierarchy* v1(std::string_view controller) const;

 private:
  std::vector<CgroupHierarchy> all_;
};

}  // namespace strata::linux
