#include <algorithm>

#include "runtime/linux/cgroup_files.h"
#include "runtime/linux/cgroup_resources.h"

namespace strata::linux {
namespace {

using Directory = Cgroup::Directory;

// 0 is "not set" (spec_resources.h).
template <class T>
bool is_set(const std::optional<T>& limit) {
  return limit && *limit != 0;
}

Result<void> apply_shares(const LimitWriter& writer, const oci::Resources& resources) {
  if (!is_set(resources.cpu_shares)) return {};
  STRATA_TRY(const Directory* cpu, writer.find("cpu", "cpu.shares"));
  if (cpu->unified)
    return write_cgroup_file(*cpu, "cpu.weight",
                             std::to_string(weight_of_shares(*resources.cpu_shares)));
  return write_cgroup_file(*cpu, "cpu.shares", std::to_string(*resources.cpu_shares));
}

Result<void> write_quota(const Directory& cpu, const oci::Resources& resources) {
  constexpr uint64_t kDefaultPeriod = 100'000;
  const bool has_period = is_set(resources.cpu_period);
  const uint64_t period = has_period ? *resources.cpu_period : kDefaultPeriod;
  const int64_t quota = is_set(resources.cpu_quota) ? *resources.cpu_quota : -1;
  if (cpu.unified)
    return write_cgroup_file(
        cpu, "cpu.max", (quota < 0 ? "max" : std::to_string(quota)) + " " + std::to_string(period));
  if (has_period) STRATA_CHECK(write_cgroup_file(cpu, "cpu.cfs_period_us", std::to_string(period)));
  return write_cgroup_file(cpu, "cpu.cfs_quota_us", std::to_string(quota));
}

Result<void> apply_quota(const LimitWriter& writer, const oci::Resources& resources) {
  if (!is_set(resources.cpu_quota) && !is_set(resources.cpu_period)) return {};
  STRATA_TRY(const Directory* cpu, writer.find("cpu", "cpu.quota"));
  return write_quota(*cpu, resources);
}

Result<void> apply_realtime(const LimitWriter& writer, const oci::Resources& resources) {
  if (is_set(resources.cpu_realtime_period))
    STRATA_CHECK(writer.write("cpu", "cpu.realtimePeriod", "cpu.rt_period_us", nullptr,
                              std::to_string(*resources.cpu_realtime_period)));
  if (is_set(resources.cpu_realtime_runtime))
    STRATA_CHECK(writer.write("cpu", "cpu.realtimeRuntime", "cpu.rt_runtime_us", nullptr,
                              std::to_string(*resources.cpu_realtime_runtime)));
  return {};
}

}  // namespace

uint64_t weight_of_shares(uint64_t shares) {
  const uint64_t clamped = std::clamp<uint64_t>(shares, 2, 262'144);
  return 1 + ((clamped - 2) * 9'999) / 262'142;
}

Result<void> apply_cpu(const LimitWriter& writer, const oci::Resources& resources) {
  STRATA_CHECK(apply_shares(writer, resources));
  STRATA_CHECK(apply_quota(writer, resources));
  if (is_set(resources.cpu_burst))
    STRATA_CHECK(writer.write("cpu", "cpu.burst", "cpu.cfs_burst_us", "cpu.max.burst",
                              std::to_string(*resources.cpu_burst)));
  STRATA_CHECK(apply_realtime(writer, resources));
  if (resources.cpu_idle)
    STRATA_CHECK(writer.write("cpu", "cpu.idle", "cpu.idle", "cpu.idle",
                              std::to_string(*resources.cpu_idle)));
  if (!resources.cpus.empty())
    STRATA_CHECK(writer.write("cpuset", "cpu.cpus", "cpuset.cpus", "cpuset.cpus", resources.cpus));
  if (!resources.mems.empty())
    STRATA_CHECK(writer.write("cpuset", "cpu.mems", "cpuset.mems", "cpuset.mems", resources.mems));
  return {};
}

}  // namespace strata::linux
