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
  if (!namespaces.has_own(needs))
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

Result<void> check_names(const oci::Spec& spec, const NamespacePlan& namespaces) {
  if (namespaces.has_own(CLONE_NEWUTS)) return {};
  if (!spec.hostname.empty())
    return fail(EINVAL, "hostname: it would be set for the host (no uts namespace)");
  if (!spec.domainname.empty())
    return fail(EINVAL, "domainname: it would be set for the host (no uts namespace)");
  return {};
}

Result<void> prepare_root_propagation(const std::string& name, ChildPlan& plan) {
  if (name.empty()) return {};
  STRATA_TRY(const auto options, parse_mount_options(std::span(&name, 1)));
  if (options.propagation == 0)
    return fail(EINVAL, "linux.rootfsPropagation: unknown value '" + name + "'");
  plan.root_propagation = options.propagation;
  plan.recursive_root_propagation = options.recursive_propagation;
  return {};
}

// Nodes in a /dev that is bound from elsewhere are its owner's business, as in runc; /dev/ptmx is
// the container's own terminals'.
std::vector<oci::Device> wanted_devices(const oci::Linux& linux, const MountPlan& mounts) {
  std::vector<oci::Device> wanted = linux.devices;
  const PlannedMount* dev = mounts.find("/dev");
  const bool bound = dev != nullptr && dev->kind == PlannedMount::Kind::kBind;
  std::erase_if(wanted, [&](const oci::Device& device) {
    return device.path == "/dev/ptmx" || (bound && device.path.starts_with("/dev/"));
  });
  return wanted;
}

// The program's pipes belong to the root outside, whom nobody is inside.
Result<void> give_pipes(const Stdio& stdio, const IdMaps& ids, uid_t user) {
  const auto uid = host_id(ids.uids, user);
  if (!uid) return fail(EINVAL, "process.user.uid: " + std::to_string(user) + " is not mapped");
  for (const int fd : {stdio.in, stdio.out, stdio.err}) {
    struct stat st {};
    if (fd >= 0 && ::fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) &&
        ::fchown(fd, *uid, static_cast<gid_t>(-1)) < 0)
      return fail_errno("give a standard stream to the program's user");
  }
  return {};
}

Result<void> prepare_filesystem(const LaunchRequest& request, const NamespacePlan& namespaces,
                                ChildPlan& plan) {
  const ZeroUmask umask;
  auto devices = wanted_devices(request.spec->linux, plan.mount_plan);
  MountSurroundings around{.cgroup = request.cgroup, .root = request.root_mount};
  if (namespaces.has_user()) {
    around.ids = &namespaces.ids;
    STRATA_CHECK(give_pipes(request.stdio, namespaces.ids, plan.uid));
  }
  around.devices = &devices;
  STRATA_TRY(plan.attachments, prepare_mounts(plan.mount_plan, around));
  for (const auto& device : devices) {
    STRATA_TRY(plan.devices.emplace_back(), device_node(device));
  }
  if (plan.mount_plan.find("/dev") == nullptr) STRATA_CHECK(prepare_image_dev(request.root_mount));
  return {};
}

}  // namespace

Result<void> prepare_launch(const LaunchRequest& request, NamespacePlan& namespaces,
                            ChildPlan& plan) {
  const oci::Spec& spec = *request.spec;
  STRATA_CHECK(check_names(spec, namespaces));
  STRATA_CHECK(check_mount_label(spec.linux));
  STRATA_CHECK(prepare_process(spec.process, request.stdio, request.seccomp, plan));
  plan.attributes.first_cpus.reset();  // "not for the container's init process", says the spec
  plan.attributes.final_cpus.reset();
  STRATA_TRY(plan.attributes.personality, personality_of(spec.linux));
  STRATA_CHECK(prepare_sysctls(spec.linux, namespaces, plan));
  STRATA_CHECK(prepare_paths(spec.linux.masked_paths, "linux.maskedPaths", plan.masked_paths));
  STRATA_CHECK(
      prepare_paths(spec.linux.readonly_paths, "linux.readonlyPaths", plan.readonly_paths));
  STRATA_CHECK(prepare_root_propagation(spec.linux.rootfs_propagation, plan));
  STRATA_TRY(plan.mount_plan, MountPlan::build(spec));

  plan.stand_in = make_stand_in();
  plan.root = request.root_mount;
  plan.readonly_root = spec.root.readonly;
  plan.hostname = spec.hostname;
  plan.domainname = spec.domainname;
  plan.seccomp_flags = request.seccomp_flags;
  plan.seccomp_listener = request.seccomp_listener;
  plan.new_network = namespaces.makes(CLONE_NEWNET);
  plan.unshare_flags = namespaces.unshare_flags;
  plan.joined = std::move(namespaces.joined);
  plan.user_namespace = namespaces.has_user();
  plan.limits_from_outside = plan.user_namespace;
  return prepare_filesystem(request, namespaces, plan);
}

}  // namespace strata::linux
