#include "runtime/linux/cgroup_resources.h"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "runtime/linux/cgroup_files.h"
#include "runtime/linux/cgroup_hierarchies.h"
#include "runtime/linux/device_rules.h"
#include "unionfs/base/file.h"

namespace strata::linux {
namespace {

using Directory = Cgroup::Directory;

bool has_word(const std::optional<std::string>& text, std::string_view word) {
  if (!text) return false;
  const std::string padded = " " + *text;
  const std::string wanted = " " + std::string(word);
  for (auto at = padded.find(wanted); at != std::string::npos; at = padded.find(wanted, at + 1)) {
    const size_t end = at + wanted.size();
    if (end == padded.size() || padded[end] == ' ' || padded[end] == '\n') return true;
  }
  return false;
}

Result<void> apply_pids(const LimitWriter& writer, const oci::Resources& resources) {
  if (!resources.pids_limit) return {};
  const int64_t limit = *resources.pids_limit;
  return writer.write("pids", "pids.limit", "pids.max", "pids.max",
                      limit > 0 ? std::to_string(limit) : "max");
}

Result<void> apply_hugepages(const LimitWriter& writer, const oci::Resources& resources) {
  constexpr const char* kLimit = "hugepageLimits";
  for (const auto& hugepage : resources.hugepage_limits) {
    const auto unit = hugepage.page_size.find_first_not_of("0123456789");
    if (unit == 0 || unit == std::string::npos ||
        hugepage.page_size.find_first_not_of("KMGB", unit) != std::string::npos)
      return fail(EINVAL, "linux.resources.hugepageLimits: '" + hugepage.page_size +
                              "' is not a page size");
    STRATA_TRY(const Directory* directory, writer.find("hugetlb", kLimit));
    const std::string limit = std::to_string(hugepage.limit);
    // Reserved pages count from their reservation on, since Linux 5.7.
    for (const char* kind : {"", ".rsvd"}) {
      std::string file = "hugetlb." + hugepage.page_size;
      file.append(kind).append(directory->unified ? ".max" : ".limit_in_bytes");
      if (*kind == '\0' || read_cgroup_file(*directory, file.c_str()))
        STRATA_CHECK(write_cgroup_file(*directory, file.c_str(), limit));
    }
  }
  return {};
}

Result<void> apply_network(const LimitWriter& writer, const oci::Network& network) {
  if (network.class_id)
    STRATA_CHECK(writer.write("net_cls", "network.classID", "net_cls.classid", nullptr,
                              std::to_string(*network.class_id)));
  for (const auto& [name, priority] : network.priorities)
    STRATA_CHECK(writer.write("net_prio", "network.priorities", "net_prio.ifpriomap", nullptr,
                              name + " " + std::to_string(priority)));
  return {};
}

Result<void> apply_rdma(const LimitWriter& writer, const oci::Resources& resources) {
  for (const auto& [device, limit] : resources.rdma) {
    std::string text = device;
    if (limit.hca_handles) text += " hca_handle=" + std::to_string(*limit.hca_handles);
    if (limit.hca_objects) text += " hca_object=" + std::to_string(*limit.hca_objects);
    STRATA_CHECK(writer.write("rdma", "rdma", "rdma.max", "rdma.max", text));
  }
  return {};
}

Result<void> apply_unified(const LimitWriter& writer, const oci::Resources& resources) {
  for (const auto& [file, text] : resources.unified) {
    const std::string path = "linux.resources.unified." + file;
    const Directory* directory = writer.unified();
    if (directory == nullptr) return fail(ENOTSUP, path + ": this host has no cgroup v2");
    if (file.empty() || file.find('/') != std::string::npos)
      return fail(EINVAL, path + ": not the name of a file");
    auto written = write_cgroup_file(*directory, file.c_str(), text);
    if (!written) return fail_in(path, std::move(written).error());
  }
  return {};
}

// v2 controllers exist in a directory if its parent passes them on (cgroup.subtree_control); so
// those of interest are passed on from the top down to `directory`'s parent.
Result<void> enable_controllers(const Directory& directory,
                                const std::vector<std::string_view>& wanted) {
  if (wanted.empty()) return {};
  const std::filesystem::path parent_path = std::filesystem::path(directory.path).parent_path();
  Directory parent{.path = parent_path, .unified = true};
  parent.fd.reset(::open(parent.path.c_str(), O_PATH | O_CLOEXEC));
  const auto present = read_cgroup_file(directory, "cgroup.controllers");
  auto offered = read_cgroup_file(parent, "cgroup.controllers");
  if (!parent.fd || !present || !offered) return {};  // above the hierarchy's mount
  if (std::all_of(wanted.begin(), wanted.end(),
                  [&](std::string_view controller) { return has_word(present, controller); }))
    return {};
  STRATA_CHECK(enable_controllers(parent, wanted));
  offered = read_cgroup_file(parent, "cgroup.controllers");
  std::string enable;
  for (const auto controller : wanted)
    if (has_word(offered, controller) && !has_word(present, controller))
      enable += (enable.empty() ? "+" : " +") + std::string(controller);
  if (enable.empty() || write_cgroup_file(parent, "cgroup.subtree_control", enable)) return {};
  // All or nothing, says the kernel. One at a time then: a controller that can't be passed on (cpu,
  // where a process runs in real time) is missed only by a limit that needs it, and by name.
  for (const auto controller : wanted) {
    [[maybe_unused]] const auto enabled =
        write_cgroup_file(parent, "cgroup.subtree_control", "+" + std::string(controller));
  }
  return {};
}

// Those that every container has, and those that its limits are for, as far as the tree has them at
// all: on a hybrid host v1 has nearly all.
std::vector<std::string_view> v2_controllers(const oci::Resources& resources) {
  std::vector<std::string_view> all = {"memory", "pids", "cpu", "cpuset"};
  for (const auto controller : controllers_for(resources))
    if (std::find(all.begin(), all.end(), controller) == all.end()) all.push_back(controller);
  const std::string top = CgroupHierarchies::host().unified()->mount;
  const auto offered = read_file_if_exists(top + "/cgroup.controllers");
  std::erase_if(all, [&](std::string_view controller) {
    return !offered || !has_word(*offered, controller);
  });
  return all;
}

}  // namespace

Result<const Directory*> LimitWriter::find(const char* controller, const char* limit) const {
  for (const auto& directory : directories_)
    if (std::find(directory.controllers.begin(), directory.controllers.end(), controller) !=
        directory.controllers.end())
      return &directory;
  if (const Directory* tree = unified();
      tree != nullptr && has_word(read_cgroup_file(*tree, "cgroup.controllers"), controller))
    return tree;
  return fail(ENOTSUP, "linux.resources." + std::string(limit) +
                           ": this host has no cgroup controller '" + controller + "'");
}

Result<void> LimitWriter::write(const char* controller, const char* limit, const char* v1_file,
                                const char* v2_file, const std::string& text) const {
  STRATA_TRY(const Directory* directory, find(controller, limit));
  const char* file = directory->unified ? v2_file : v1_file;
  if (file == nullptr) return unsupported_limit(limit, "cgroup v2 does not have it");
  auto written = write_cgroup_file(*directory, file, text);
  if (written) return {};
  if (written.error().code == ENOENT)
    return unsupported_limit(limit, "this kernel has no " + std::string(file));
  return fail_in("linux.resources." + std::string(limit), std::move(written).error());
}

const Directory* LimitWriter::unified() const {
  for (const auto& directory : directories_)
    if (directory.unified) return &directory;
  return nullptr;
}

Result<void> unsupported_limit(const char* limit, std::string_view why) {
  return fail(ENOTSUP, "linux.resources." + std::string(limit) + ": " + std::string(why));
}

std::vector<std::string_view> controllers_for(const oci::Resources& resources) {
  std::vector<std::string_view> controllers;
  const auto add = [&](bool wanted, std::string_view name) {
    if (wanted) controllers.push_back(name);
  };
  const auto& block_io = resources.block_io;
  const bool io = block_io.weight || block_io.leaf_weight || !block_io.weight_devices.empty() ||
                  !block_io.read_bps.empty() || !block_io.write_bps.empty() ||
                  !block_io.read_iops.empty() || !block_io.write_iops.empty();
  add(resources.cpu_shares || resources.cpu_quota || resources.cpu_period || resources.cpu_burst ||
          resources.cpu_realtime_runtime || resources.cpu_realtime_period || resources.cpu_idle,
      "cpu");
  add(!resources.cpus.empty() || !resources.mems.empty(), "cpuset");
  add(io, "blkio");
  add(io, "io");
  add(!resources.hugepage_limits.empty(), "hugetlb");
  add(resources.network.class_id.has_value(), "net_cls");
  add(!resources.network.priorities.empty(), "net_prio");
  add(!resources.rdma.empty(), "rdma");
  for (const auto& [file, text] : resources.unified)
    controllers.push_back(std::string_view(file).substr(0, file.find('.')));
  return controllers;
}

Result<void> apply_limits(const std::vector<Directory>& directories,
                          const oci::Resources& resources) {
  for (const auto& directory : directories)
    if (directory.unified) STRATA_CHECK(enable_controllers(directory, v2_controllers(resources)));
  const LimitWriter writer(directories);
  STRATA_CHECK(apply_memory(writer, resources));
  STRATA_CHECK(apply_cpu(writer, resources));
  STRATA_CHECK(apply_pids(writer, resources));
  STRATA_CHECK(apply_block_io(writer, resources.block_io));
  STRATA_CHECK(apply_hugepages(writer, resources));
  STRATA_CHECK(apply_network(writer, resources.network));
  STRATA_CHECK(apply_rdma(writer, resources));
  return apply_unified(writer, resources);
}

Result<void> apply_resources(const std::vector<Directory>& directories,
                             const oci::Resources& resources) {
  STRATA_CHECK(apply_limits(directories, resources));
  return apply_device_rules(directories, resources.devices);
}

}  // namespace strata::linux
