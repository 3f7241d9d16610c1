#include "runtime/linux/namespace_plan.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

struct NamespaceType {
  std::string_view name;
  std::string_view file;  // in /proc/<pid>/ns
  uint64_t flag;
  bool in_child;  // made by the child after it has moved into its cgroups
};

// The cgroup namespace's root is where its maker is at that moment. The network namespace is by
// far the costliest: made in the child, its cost runs beside the parent's and is the container's.
constexpr auto kNamespaceTypes = std::to_array<NamespaceType>({
    {"pid", "pid", CLONE_NEWPID, false},
    {"mount", "mnt", CLONE_NEWNS, false},
    {"ipc", "ipc", CLONE_NEWIPC, false},
    {"uts", "uts", CLONE_NEWUTS, false},
    {"network", "net", CLONE_NEWNET, true},
    {"cgroup", "cgroup", CLONE_NEWCGROUP, true},
    {"user", "user", CLONE_NEWUSER, false},
    {"time", "time", CLONE_NEWTIME, false},
});

bool is_own(int fd, uint64_t flag) {
  struct stat joined {};
  struct stat own {};
  return ::fstat(fd, &joined) == 0 && ::stat(own_namespace(flag).c_str(), &own) == 0 &&
         joined.st_dev == own.st_dev && joined.st_ino == own.st_ino;
}

Result<void> add_joined(const oci::Namespace& ns, const NamespaceType& type, NamespacePlan& plan) {
  if (!ns.path.starts_with('/'))
    return fail(EINVAL, "linux.namespaces: '" + ns.path + "' is not an absolute path");
  STRATA_TRY(UniqueFd fd, open_file(ns.path, O_RDONLY));
  const bool own = is_own(fd.get(), type.flag);
  if (!own) plan.other |= type.flag;
  if (type.flag == CLONE_NEWUSER) {
    if (own) return {};  // the kernel would refuse it (setns(2))
    STRATA_TRY(plan.ids, read_id_maps(fd.get()));
    plan.user = std::move(fd);
    return {};
  }
  const bool of_children = type.flag == CLONE_NEWPID || type.flag == CLONE_NEWTIME;
  (of_children ? plan.borrowed : plan.joined)
      .push_back({std::move(fd), static_cast<int>(type.flag), ns.path});
  return {};
}

void add_new(const NamespaceType& type, NamespacePlan& plan) {
  if (type.flag == CLONE_NEWTIME)
    plan.new_time = true;
  else
    (type.in_child ? plan.unshare_flags : plan.clone_flags) |= type.flag;
  if (type.flag == CLONE_NEWUSER) plan.new_user = true;
}

Result<void> plan_ids(const oci::Linux& linux, NamespacePlan& plan) {
  const bool mapped = !linux.uid_mappings.empty() || !linux.gid_mappings.empty();
  if (plan.new_user) {
    STRATA_CHECK(check_mappings(linux.uid_mappings, "linux.uidMappings"));
    STRATA_CHECK(check_mappings(linux.gid_mappings, "linux.gidMappings"));
    plan.ids = {linux.uid_mappings, linux.gid_mappings};
  } else if (mapped && (plan.other & CLONE_NEWUSER) == 0) {
    return fail(EINVAL,
                "linux.uidMappings, linux.gidMappings: there is no user namespace for them");
  }
  if (plan.has_user() && (!host_id(plan.ids.uids, 0) || !host_id(plan.ids.gids, 0)))
    return fail(EINVAL, "linux.uidMappings, linux.gidMappings: ID 0 is not mapped");
  if (!plan.has_user()) return {};
  std::move(plan.joined.begin(), plan.joined.end(), std::back_inserter(plan.borrowed));
  plan.joined.clear();
  // Its message queues belong to who makes it: the container's root, not the caller.
  plan.unshare_flags |= plan.clone_flags & CLONE_NEWIPC;
  plan.clone_flags &= ~uint64_t{CLONE_NEWIPC};
  return {};
}

Result<void> plan_time_offsets(const oci::Linux& linux, NamespacePlan& plan) {
  constexpr uint32_t kSecond = 1'000'000'000;
  for (const auto& [clock, offset] : linux.time_offsets) {
    const std::string path = "linux.timeOffsets." + clock;
    if (clock != "monotonic" && clock != "boottime")
      return fail(EINVAL, path + ": this clock can't be shifted");
    if (!plan.new_time) return fail(EINVAL, path + ": there is no new time namespace for it");
    if (offset.nanosecs >= kSecond) return fail(EINVAL, path + ".nanosecs: a second or more");
    plan.time_offsets +=
        clock + " " + std::to_string(offset.secs) + " " + std::to_string(offset.nanosecs) + "\n";
  }
  return {};
}

}  // namespace

Result<uint64_t> namespaces_unlike_ours(int pidfd, uint64_t flags) {
  constexpr std::string_view kPid = "\nPid:\t";
  STRATA_TRY(const auto info, read_file("/proc/self/fdinfo/" + std::to_string(pidfd)));
  const auto at = info.find(kPid);
  if (at == std::string::npos) return fail(EINVAL, "look at the container's namespaces");
  const auto start = at + kPid.size();
  const std::string process = "/proc/" + info.substr(start, info.find('\n', start) - start);
  uint64_t unlike = 0;
  for (const auto& type : kNamespaceTypes) {
    if ((flags & type.flag) == 0) continue;
    STRATA_TRY(const UniqueFd fd, open_file(process + "/ns/" + std::string(type.file), O_RDONLY));
    if (!is_own(fd.get(), type.flag)) unlike |= type.flag;
  }
  return unlike;
}

std::string own_namespace(uint64_t flag) {
  for (const auto& type : kNamespaceTypes)
    if (type.flag == flag) return "/proc/self/ns/" + std::string(type.file);
  return {};
}

Result<NamespacePlan> plan_namespaces(const oci::Linux& linux) {
  NamespacePlan plan;
  uint64_t seen = 0;
  for (const auto& ns : linux.namespaces) {
    const auto* type = std::find_if(kNamespaceTypes.begin(), kNamespaceTypes.end(),
                                    [&](const NamespaceType& t) { return t.name == ns.type; });
    if (type == kNamespaceTypes.end())
      return fail(EINVAL, "linux.namespaces: unknown type '" + ns.type + "'");
    if ((seen & type->flag) != 0)
      return fail(EINVAL, "linux.namespaces: '" + ns.type + "' is given twice");
    seen |= type->flag;
    if (ns.path.empty())
      add_new(*type, plan);
    else
      STRATA_CHECK(add_joined(ns, *type, plan));
  }
  if ((plan.clone_flags & CLONE_NEWNS) == 0)
    return fail(EINVAL, "linux.namespaces: a container needs a mount namespace of its own");
  STRATA_CHECK(plan_ids(linux, plan));
  STRATA_CHECK(plan_time_offsets(linux, plan));
  return plan;
}

}  // namespace strata::linux
