#include "runtime/linux/cgroup_resources.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>

#include "runtime/linux/cgroup_files.h"
#include "runtime/linux/device_rules.h"

namespace strata::linux {
namespace {

using Directory = Cgroup::Directory;

class Writer {
 public:
  explicit Writer(const std::vector<Directory>& directories) : directories_(directories) {}

  // Where a controller is: v1 before v2, as a controller can be in one of them only.
  [[nodiscard]] Result<const Directory*> find(const char* controller, const char* resource) const {
    for (const auto& directory : directories_)
      if (std::find(directory.controllers.begin(), directory.controllers.end(), controller) !=
          directory.controllers.end())
        return &directory;
    for (const auto& directory : directories_)
      if (directory.unified &&
          has_word(read_cgroup_file(directory, "cgroup.controllers"), controller))
        return &directory;
    return fail(ENOTSUP, std::string(resource) + ": this host has no cgroup controller '" +
                             controller + "'");
  }

  static bool has_word(const std::optional<std::string>& text, std::string_view word) {
    if (!text) return false;
    const std::string padded = " " + *text;
    const std::string wanted = " " + std::string(word);
    for (auto at = padded.find(wanted); at != std::string::npos; at = padded.find(wanted, at + 1)) {
      const size_t end = at + wanted.size();
      if (end == padded.size() || padded[end] == ' ' || padded[end] == '\n') return true;
    }
    return false;
  }

 private:
  const std::vector<Directory>& directories_;
};

std::string bytes_or_max(int64_t value, bool unified) {
  if (value >= 0) return std::to_string(value);
  return unified ? "max" : "-1";
}

Result<void> apply_memory(const Writer& writer, const oci::Resources& resources) {
  if (!resources.memory_limit && !resources.memory_swap) return {};
  STRATA_TRY(const Directory* memory, writer.find("memory", "memory limit"));
  const int64_t limit = resources.memory_limit.value_or(-1);
  STRATA_CHECK(write_cgroup_file(*memory, memory->unified ? "memory.max" : "memory.limit_in_bytes",
                                 bytes_or_max(limit, memory->unified)));
  if (!resources.memory_swap) return {};
  int64_t swap = *resources.memory_swap;  // memory and swap together, as v1 counts
  if (swap >= 0 && (limit < 0 || swap < limit))
    return fail(EINVAL, "memory swap limit: it counts memory, too, and can't be below its limit");
  if (memory->unified && swap >= 0) swap -= limit;
  const char* file = memory->unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
  if (!read_cgroup_file(*memory, file))
    return fail(ENOTSUP, "memory swap limit: this kernel does not account swap");
  return write_cgroup_file(*memory, file, bytes_or_max(swap, memory->unified));
}

Result<void> apply_cpu(const Writer& writer, const oci::Resources& resources) {
  if (!resources.cpu_shares && !resources.cpu_quota && !resources.cpu_period) return {};
  STRATA_TRY(const Directory* cpu, writer.find("cpu", "CPU limit"));
  if (resources.cpu_shares) {
    STRATA_CHECK(
        cpu->unified
            ? write_cgroup_file(*cpu, "cpu.weight",
                                std::to_string(weight_of_shares(*resources.cpu_shares)))
            : write_cgroup_file(*cpu, "cpu.shares", std::to_string(*resources.cpu_shares)));
  }
  constexpr uint64_t kDefaultPeriod = 100'000;
  const uint64_t period = resources.cpu_period.value_or(kDefaultPeriod);
  const int64_t quota = resources.cpu_quota.value_or(-1);
  if (!resources.cpu_quota && !resources.cpu_period) return {};
  if (cpu->unified)
    return write_cgroup_file(*cpu, "cpu.max",
                             bytes_or_max(quota, true) + " " + std::to_string(period));
  STRATA_CHECK(write_cgroup_file(*cpu, "cpu.cfs_period_us", std::to_string(period)));
  return write_cgroup_file(*cpu, "cpu.cfs_quota_us", std::to_string(quota));
}

Result<void> apply_cpuset(const Writer& writer, const oci::Resources& resources) {
  if (resources.cpus.empty()) return {};
  STRATA_TRY(const Directory* cpuset, writer.find("cpuset", "CPU set"));
  return write_cgroup_file(*cpuset, "cpuset.cpus", resources.cpus);
}

Result<void> apply_pids(const Writer& writer, const oci::Resources& resources) {
  if (!resources.pids_limit) return {};
  STRATA_TRY(const Directory* pids, writer.find("pids", "limit of processes"));
  const int64_t limit = *resources.pids_limit;
  return write_cgroup_file(*pids, "pids.max", limit > 0 ? std::to_string(limit) : "max");
}

// v2 controllers exist in a directory if its parent passes them on (cgroup.subtree_control); so
// those of interest are passed on from the top down to `directory`'s parent.
Result<void> enable_controllers(const Directory& directory) {
  constexpr auto kWanted = std::to_array<std::string_view>({"memory", "pids", "cpu", "cpuset"});
  const std::filesystem::path parent_path = std::filesystem::path(directory.path).parent_path();
  Directory parent{.path = parent_path, .unified = true};
  parent.fd.reset(::open(parent.path.c_str(), O_PATH | O_CLOEXEC));
  const auto present = read_cgroup_file(directory, "cgroup.controllers");
  auto offered = read_cgroup_file(parent, "cgroup.controllers");
  if (!parent.fd || !present || !offered) return {};  // above the hierarchy's mount
  std::string missing;
  for (const auto controller : kWanted)
    if (!Writer::has_word(present, controller)) missing += " +" + std::string(controller);
  if (missing.empty()) return {};
  STRATA_CHECK(enable_controllers(parent));
  offered = read_cgroup_file(parent, "cgroup.controllers");
  std::string enable;
  for (const auto controller : kWanted)
    if (Writer::has_word(offered, controller) && !Writer::has_word(present, controller))
      enable += (enable.empty() ? "+" : " +") + std::string(controller);
  if (enable.empty() || write_cgroup_file(parent, "cgroup.subtree_control", enable)) return {};
  // All or nothing, says the kernel. One at a time then: a controller that can't be passed on (cpu,
  // where a process runs in real time) is missed only by a limit that needs it, and by name.
  for (const auto controller : kWanted) {
    [[maybe_unused]] const auto enabled =
        write_cgroup_file(parent, "cgroup.subtree_control", "+" + std::string(controller));
  }
  return {};
}

}  // namespace

uint64_t weight_of_shares(uint64_t shares) {
  const uint64_t clamped = std::clamp<uint64_t>(shares, 2, 262'144);
  return 1 + ((clamped - 2) * 9'999) / 262'142;
}

Result<void> apply_resources(const std::vector<Directory>& directories,
                             const oci::Resources& resources) {
  for (const auto& directory : directories)
    if (directory.unified) STRATA_CHECK(enable_controllers(directory));
  const Writer writer(directories);
  STRATA_CHECK(apply_memory(writer, resources));
  STRATA_CHECK(apply_cpu(writer, resources));
  STRATA_CHECK(apply_cpuset(writer, resources));
  STRATA_CHECK(apply_pids(writer, resources));
  return apply_device_rules(directories, resources.devices);
}

}  // namespace strata::linux
