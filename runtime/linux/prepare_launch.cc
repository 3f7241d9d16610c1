#include "runtime/linux/prepare_launch.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "runtime/linux/device_nodes.h"
#include "runtime/linux/path_in_root.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

struct NamespaceType {
  std::string_view name;
  uint64_t flag;
  bool in_child;  // made by the child after it has moved into its cgroups
};

// The cgroup namespace's root is where its maker is at that moment. The network namespace is by
// far the costliest: made in the child, its cost runs beside the parent's and is the container's.
constexpr auto kNamespaceTypes = std::to_array<NamespaceType>({
    {"pid", CLONE_NEWPID, false},
    {"mount", CLONE_NEWNS, false},
    {"ipc", CLONE_NEWIPC, false},
    {"uts", CLONE_NEWUTS, false},
    {"network", CLONE_NEWNET, true},
    {"cgroup", CLONE_NEWCGROUP, true},
});

// What a container may set: only what its own namespaces hold, else it would be the host's.
Result<void> check_sysctl(const std::string& name, const NamespacePlan& namespaces) {
  constexpr auto kIpc = std::to_array<std::string_view>(
      {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall",
       "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"});
  uint64_t needs = 0;
  if (name.starts_with("net.")) needs = CLONE_NEWNET;
  if (name.starts_with("fs.mqueue.") || std::find(kIpc.begin(), kIpc.end(), name) != kIpc.end())
    needs = CLONE_NEWIPC;
  if (name == "kernel.domainname" || name == "kernel.hostname") needs = CLONE_NEWUTS;
  const bool plain = name.find("..") == std::string::npos && name.find('\0') == std::string::npos;
  if (needs == 0 || !plain)
    return fail(EINVAL, "linux.sysctl: '" + name + "' is not a setting of a container's own");
  if (!namespaces.makes(needs))
    return fail(EINVAL, "linux.sysctl: '" + name + "' would be set for the host");
  return {};
}

Result<void> prepare_sysctls(const oci::Linux& linux, const NamespacePlan& namespaces,
                             ChildPlan& plan) {
  for (const auto& [name, value] : linux.sysctl) {
    STRATA_CHECK(check_sysctl(name, namespaces));
    std::string path = "/proc/sys/" + name;
    std::replace(path.begin() + sizeof "/proc/sys/" - 1, path.end(), '.', '/');
    plan.sysctls.push_back({std::move(path), value});
  }
  return {};
}

Result<void> prepare_paths(const std::vector<std::string>& from, const char* member,
                           std::vector<std::string>& to) {
  for (const auto& path : from)
    if (!path.starts_with('/') || path.find('\0') != std::string::npos)
      return fail(EINVAL, std::string(member) + ": '" + path + "' is not an absolute path");
  to = from;
  return {};
}

// Without a mount on /dev the image's own directory is filled; a bind mount there is the caller's
// business (runc does both).
Result<void> prepare_image_dev(int root) {
  const UniqueFd dev(open_mount_point(root, "/dev", PointKind::kPlainDirectory));
  if (!dev) return fail_errno("open /dev of the image");
  STRATA_TRY(const auto refused, populate_dev(dev.get()));
  if (!refused.empty()) return fail(EPERM, "create /dev/" + refused.front() + " in the image");
  return {};
}

class ZeroUmask {
 public:
  ZeroUmask() : saved_(::umask(0)) {}
  ZeroUmask(const ZeroUmask&) = delete;
  ZeroUmask& operator=(const ZeroUmask&) = delete;
  ~ZeroUmask() { ::umask(saved_); }

 private:
  mode_t saved_;
};

}  // namespace

Result<NamespacePlan> plan_namespaces(const std::vector<oci::Namespace>& wanted) {
  NamespacePlan plan;
  uint64_t seen = 0;
  for (const auto& ns : wanted) {
    const auto* type = std::find_if(kNamespaceTypes.begin(), kNamespaceTypes.end(),
                                    [&](const NamespaceType& t) { return t.name == ns.type; });
    if (type == kNamespaceTypes.end()) {
      const bool known = ns.type == "user" || ns.type == "time";
      return fail(known ? ENOTSUP : EINVAL,
                  "linux.namespaces: " + std::string(known ? "unsupported" : "unknown") +
                      " type '" + ns.type + "'");
    }
    if ((seen & type->flag) != 0)
      return fail(EINVAL, "linux.namespaces: '" + ns.type + "' is given twice");
    seen |= type->flag;
    if (ns.path.empty()) {
      (type->in_child ? plan.unshare_flags : plan.clone_flags) |= type->flag;
      continue;
    }
    STRATA_TRY(UniqueFd fd, open_file(ns.path, O_RDONLY));
    if (type->flag == CLONE_NEWPID)
      plan.pid = std::move(fd);
    else
      plan.joined.push_back({std::move(fd), static_cast<int>(type->flag), ns.path});
  }
  if ((plan.clone_flags & CLONE_NEWNS) == 0)
    return fail(EINVAL, "linux.namespaces: a container needs a mount namespace of its own");
  return plan;
}

Result<void> prepare_launch(const LaunchRequest& request, NamespacePlan& namespaces,
                            ChildPlan& plan) {
  const oci::Spec& spec = *request.spec;
  if (!spec.hostname.empty() && !namespaces.makes(CLONE_NEWUTS))
    return fail(EINVAL, "hostname: it would be set for the host (no uts namespace)");
  STRATA_CHECK(prepare_process(spec.process, request.stdio, request.seccomp, plan));
  STRATA_CHECK(prepare_sysctls(spec.linux, namespaces, plan));
  STRATA_CHECK(prepare_paths(spec.linux.masked_paths, "linux.maskedPaths", plan.masked_paths));
  STRATA_CHECK(
      prepare_paths(spec.linux.readonly_paths, "linux.readonlyPaths", plan.readonly_paths));
  STRATA_TRY(plan.mount_plan, MountPlan::build(spec));

  plan.root = request.root_mount;
  plan.readonly_root = spec.root.readonly;
  plan.hostname = spec.hostname;
  plan.new_network = namespaces.makes(CLONE_NEWNET);
  plan.unshare_flags = namespaces.unshare_flags;
  plan.joined = std::move(namespaces.joined);

  const ZeroUmask umask;
  STRATA_TRY(plan.attachments, prepare_mounts(plan.mount_plan, request.cgroup));
  if (plan.mount_plan.find("/dev") == nullptr) STRATA_CHECK(prepare_image_dev(request.root_mount));
  return {};
}

}  // namespace strata::linux
