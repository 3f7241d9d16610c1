// The half of a mount plan that is done in the caller's mount namespace.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <utility>

#include "runtime/linux/copy_up.h"
#include "runtime/linux/device_nodes.h"
#include "runtime/linux/mount_plan.h"
#include "runtime/linux/path_in_root.h"

namespace strata::linux {
namespace {

// A detached copy of a mount (tree) of ours.
UniqueFd clone_tree(int dir, const char* path, bool recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if (*path == '\0') flags |= AT_EMPTY_PATH;
  if (recursive) flags |= AT_RECURSIVE;
  return UniqueFd(::open_tree(dir, path, flags));
}

std::string describe(const PlannedMount& mount) {
  return "mount " + mount.source + " on " + mount.target;
}

// A copy of a shared mount is its peer (mount_namespaces(7)): without a wish for propagation it is
// made private, so that nothing mounted in the container appears on the host.
Result<void> apply_bind_options(const PlannedMount& mount, int fd) {
  const auto& options = mount.options;
  const uint64_t propagation =
      options.propagation != 0 ? options.propagation : uint64_t{MS_PRIVATE};
  const bool recursive = options.propagation == 0 || options.recursive_propagation;
  if (set_mount_attributes(fd, 0, 0, propagation, recursive) < 0 ||
      set_mount_attributes(fd, options.set, options.clear, 0, false) < 0 ||
      set_mount_attributes(fd, options.recursive_set, options.recursive_clear, 0, true) < 0)
    return fail_errno(describe(mount) + ": set its options");
  return {};
}

// The IDs of its files are mapped as those of the container, or as the mount itself says.
Result<void> map_ids(const PlannedMount& mount, int fd, const IdMaps* container) {
  if (!mount.options.id_mapped) return {};
  const IdMaps own{mount.uid_mappings, mount.gid_mappings};
  const IdMaps* maps = own.uids.empty() ? container : &own;
  if (maps == nullptr)
    return fail(EINVAL, describe(mount) + ": ID-mapped without mappings or a user namespace");
  STRATA_TRY(const UniqueFd user_namespace, make_user_namespace(*maps));
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(user_namespace.get());
  const unsigned flags = AT_EMPTY_PATH | (mount.options.recursive_id_map ? AT_RECURSIVE : 0);
  if (::mount_setattr(fd, "", flags, &attributes, sizeof attributes) < 0)
    return fail_errno(describe(mount) + ": map its IDs (not every file system can)");
  return {};
}

Result<Attachment> prepare_bind(const PlannedMount& mount, const IdMaps* container) {
  Attachment attachment{.mount = &mount, .target = mount.target};
  attachment.fd = clone_tree(AT_FDCWD, mount.source.c_str(), mount.options.recursive);
  if (!attachment.fd) return fail_errno(describe(mount));
  struct stat st {};
  if (::fstat(attachment.fd.get(), &st) < 0) return fail_errno(describe(mount));
  attachment.is_directory = S_ISDIR(st.st_mode);
  STRATA_CHECK(apply_bind_options(mount, attachment.fd.get()));
  STRATA_CHECK(map_ids(mount, attachment.fd.get(), container));
  return attachment;
}

Result<UniqueFd> clone_cgroup(const PlannedMount& mount, const Cgroup::Directory& directory) {
  UniqueFd fd = clone_tree(directory.fd.get(), "", false);
  if (!fd ||
      set_mount_attributes(fd.get(), mount.options.set, mount.options.clear, MS_PRIVATE, false) < 0)
    return fail_errno("mount " + directory.path + " on " + mount.target);
  return fd;
}

struct Owner {
  uid_t uid;
  gid_t gid;
};

// Who the container's root is outside of its user namespace.
Result<Owner> root_outside(const IdMaps& ids) {
  const auto uid = host_id(ids.uids, 0);
  const auto gid = host_id(ids.gids, 0);
  if (!uid || !gid) return fail(EINVAL, "linux.uidMappings, linux.gidMappings: ID 0 is not mapped");
  return Owner{*uid, *gid};
}

// With v1 the names below /sys/fs/cgroup are those of the controllers, as on a host.
std::vector<std::string> names_of(const Cgroup::Directory& directory) {
  if (directory.unified) return {"unified"};
  std::string all;
  for (const auto& controller : directory.controllers) all += (all.empty() ? "" : ",") + controller;
  std::vector<std::string> names = {all};
  if (directory.controllers.size() > 1)
    names.insert(names.end(), directory.controllers.begin(), directory.controllers.end());
  return names;
}

// Binds of the container's own directories look, from inside its cgroup namespace, exactly like
// fresh cgroup mounts (cgroup_show_path), and cost a fifth: no superblock is made.
Result<void> prepare_cgroups(const PlannedMount& mount, const MountSurroundings& around,
                             std::vector<Attachment>& out) {
  if (around.cgroup == nullptr) return {};
  const auto& directories = around.cgroup->directories();
  if (directories.size() == 1 && directories.front().unified) {
    STRATA_TRY(auto fd, clone_cgroup(mount, directories.front()));
    out.push_back({.mount = &mount, .target = mount.target, .fd = std::move(fd)});
    return {};
  }
  PlannedMount top{.target = mount.target, .type = "tmpfs", .source = "tmpfs"};
  top.options = mount.options;
  top.options.set &= ~uint64_t{MOUNT_ATTR_RDONLY};  // until it is filled
  top.options.parameters = {{.key = "mode", .value = "755"}};
  UniqueFd tmpfs(make_filesystem(top, nullptr, 0));
  if (!tmpfs) return fail_errno("mount tmpfs on " + mount.target);
  if (around.ids != nullptr) {
    STRATA_TRY(const auto owner, root_outside(*around.ids));
    if (::fchownat(tmpfs.get(), "", owner.uid, owner.gid, AT_EMPTY_PATH) < 0)
      return fail_errno("mount tmpfs on " + mount.target);
  }
  std::vector<Attachment> below;
  for (const auto& directory : directories) {
    const auto names = names_of(directory);
    if (::mkdirat(tmpfs.get(), names.front().c_str(), 0755) < 0)
      return fail_errno("create " + mount.target + "/" + names.front());
    for (size_t i = 1; i < names.size(); ++i)
      if (::symlinkat(names.front().c_str(), tmpfs.get(), names[i].c_str()) < 0)
        return fail_errno("create " + mount.target + "/" + names[i]);
    STRATA_TRY(auto fd, clone_cgroup(mount, directory));
    below.push_back(
        {.mount = &mount, .target = mount.target + "/" + names.front(), .fd = std::move(fd)});
  }
  if (set_mount_attributes(tmpfs.get(), mount.options.set, 0, 0, false) < 0)
    return fail_errno("mount tmpfs on " + mount.target);
  out.push_back({.mount = &mount, .target = mount.target, .fd = std::move(tmpfs)});
  for (auto& attachment : below) out.push_back(std::move(attachment));
  return {};
}

Result<void> bind_host_nodes(const PlannedMount& dev, const std::vector<std::string>& names,
                             std::vector<Attachment>& out) {
  for (const auto& name : names) {
    const std::string path = "/dev/" + name;
    UniqueFd fd = clone_tree(AT_FDCWD, path.c_str(), false);
    if (!fd) return fail_errno("bind the host's " + path);
    out.push_back({.mount = &dev, .target = path, .fd = std::move(fd), .is_directory = false});
  }
  return {};
}

// Mount points directly below /dev, made while it is at hand: the child would have to search first.
Result<void> make_points_below(const PlannedMount& dev, int fd, const MountPlan& plan) {
  for (const auto& mount : plan.mounts()) {
    const std::string prefix = dev.target + "/";
    if (mount.kind != PlannedMount::Kind::kFilesystem || !mount.target.starts_with(prefix))
      continue;
    const std::string name = mount.target.substr(prefix.size());
    if (name.find('/') == std::string::npos && ::mkdirat(fd, name.c_str(), 0755) < 0 &&
        errno != EEXIST)
      return fail_errno("create " + mount.target);
  }
  return {};
}

// Whether a path's node belongs into the file system that is mounted on /dev itself.
bool is_in_dev(const std::string& path, const MountPlan& plan) {
  const PlannedMount* nearest = nullptr;
  for (const auto& mount : plan.mounts())
    if (path.starts_with(mount.target + "/") &&
        (nearest == nullptr || mount.target.size() > nearest->target.size()))
      nearest = &mount;
  return nearest != nullptr && nearest->target == "/dev";
}

// The spec's nodes in /dev; those that the kernel refuses are the host's, bound. The others are
// left in the list.
Result<void> make_spec_nodes(int dev, const MountPlan& plan, const MountSurroundings& around,
                             std::vector<std::string>& refused) {
  constexpr size_t kPrefix = sizeof "/dev" - 1;
  for (auto it = around.devices->begin(); it != around.devices->end();) {
    if (!is_in_dev(it->path, plan)) {
      ++it;
      continue;
    }
    STRATA_TRY(auto node, device_node(*it));
    if (around.ids != nullptr) {
      const auto uid = host_id(around.ids->uids, node.uid);
      const auto gid = host_id(around.ids->gids, node.gid);
      if (!uid || !gid)
        return fail(EINVAL, "linux.devices: " + node.path + ": its owner is not mapped");
      node.uid = *uid;
      node.gid = *gid;
    }
    if (make_node(dev, node.path.c_str() + kPrefix, node) < 0) {
      if (errno != EPERM) return fail_errno("create " + node.path);
      refused.push_back(node.path.substr(kPrefix + 1));
    }
    it = around.devices->erase(it);
  }
  return {};
}

// /dev is filled before anyone can see it.
Result<void> prepare_dev(const PlannedMount& mount, const MountPlan& plan,
                         const MountSurroundings& around, std::vector<Attachment>& out) {
  PlannedMount writable = mount;
  writable.options.set &= ~uint64_t{MOUNT_ATTR_RDONLY};
  std::erase_if(writable.options.parameters,
                [](const MountOptions::Parameter& p) { return p.is_flag && p.key == "ro"; });
  UniqueFd fd(make_filesystem(writable, nullptr, 0));
  if (!fd) return fail_errno("mount tmpfs on /dev");
  STRATA_TRY(auto refused, populate_dev(fd.get()));
  if (around.ids != nullptr) {
    STRATA_TRY(const auto owner, root_outside(*around.ids));
    STRATA_CHECK(give_dev_to(fd.get(), owner.uid, owner.gid));
  }
  if (around.devices != nullptr) STRATA_CHECK(make_spec_nodes(fd.get(), plan, around, refused));
  STRATA_CHECK(make_points_below(mount, fd.get(), plan));
  if (mount.options.set != writable.options.set &&
      set_mount_attributes(fd.get(), MOUNT_ATTR_RDONLY, 0, 0, false) < 0)
    return fail_errno("mount tmpfs on /dev");
  out.push_back({.mount = &mount, .target = mount.target, .fd = std::move(fd)});
  return bind_host_nodes(mount, refused, out);
}

// A tmpfs with what the image has in its place. What other mounts put there is not looked at: it is
// not mounted yet.
Result<Attachment> prepare_copy_up(const PlannedMount& mount, const MountSurroundings& around) {
  PlannedMount writable = mount;
  writable.options.set &= ~uint64_t{MOUNT_ATTR_RDONLY};
  std::erase_if(writable.options.parameters,
                [](const MountOptions::Parameter& p) { return p.is_flag && p.key == "ro"; });
  Attachment attachment{.mount = &mount, .target = mount.target};
  attachment.fd.reset(make_filesystem(writable, nullptr, 0));
  if (!attachment.fd) return fail_errno(describe(mount));
  const UniqueFd below(open_in_root(around.root, mount.target.c_str()));
  if (!below && errno != ENOENT) return fail_errno(describe(mount));
  if (below)
    if (auto copied = copy_up(below.get(), attachment.fd.get()); !copied)
      return fail_in(describe(mount), std::move(copied).error());
  if (mount.options.set != writable.options.set &&
      set_mount_attributes(attachment.fd.get(), MOUNT_ATTR_RDONLY, 0, 0, false) < 0)
    return fail_errno(describe(mount));
  return attachment;
}

Result<void> prepare_filesystem(const PlannedMount& mount, const MountPlan& plan,
                                const MountSurroundings& around, std::vector<Attachment>& out) {
  if (mount.target == "/dev" && mount.type == "tmpfs") return prepare_dev(mount, plan, around, out);
  if (mount.options.copy_up) {
    if (mount.type != "tmpfs") return fail(EINVAL, describe(mount) + ": tmpcopyup is for tmpfs");
    STRATA_TRY(auto attachment, prepare_copy_up(mount, around));
    out.push_back(std::move(attachment));
    return {};
  }
  out.push_back(
      {.mount = &mount, .target = mount.target, .plain_directory = mount.wants_plain_directory()});
  return {};
}

}  // namespace

Result<std::vector<Attachment>> prepare_mounts(const MountPlan& plan,
                                               const MountSurroundings& around) {
  std::vector<Attachment> attachments;
  attachments.reserve(plan.mounts().size() + 8);
  for (const auto& mount : plan.mounts()) {
    switch (mount.kind) {
      case PlannedMount::Kind::kBind: {
        STRATA_TRY(auto attachment, prepare_bind(mount, around.ids));
        attachments.push_back(std::move(attachment));
        break;
      }
      case PlannedMount::Kind::kCgroup:
        STRATA_CHECK(prepare_cgroups(mount, around, attachments));
        break;
      case PlannedMount::Kind::kFilesystem:
        STRATA_CHECK(prepare_filesystem(mount, plan, around, attachments));
        break;
    }
  }
  return attachments;
}

}  // namespace strata::linux
