#include "runtime/linux/cgroup_files.h"
#include "runtime/linux/cgroup_resources.h"

namespace strata::linux {
namespace {

using Directory = Cgroup::Directory;

// 0 is "not set" (spec_resources.h).
std::optional<int64_t> set(const std::optional<int64_t>& limit) {
  return limit && *limit != 0 ? limit : std::nullopt;
}

std::string bytes_or_max(int64_t value, bool unified) {
  if (value >= 0) return std::to_string(value);
  return unified ? "max" : "-1";
}

Result<void> check_usage(const Directory& memory, int64_t limit) {
  const auto used =
      read_cgroup_number(memory, memory.unified ? "memory.current" : "memory.usage_in_bytes");
  if (limit >= 0 && used && *used > static_cast<uint64_t>(limit))
    return fail(EBUSY, "linux.resources.memory.limit: " + std::to_string(*used) +
                           " bytes are in use, and checkBeforeUpdate is set");
  return {};
}

Result<void> write_swap(const Directory& memory, int64_t limit, int64_t swap) {
  if (memory.unified && swap >= 0) swap -= limit;  // v2 counts swap alone
  const char* file = memory.unified ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
  if (!read_cgroup_file(memory, file)) {
    if (swap < 0) return {};
    return fail(ENOTSUP, "memory swap limit: this kernel does not account swap");
  }
  return write_cgroup_file(memory, file, bytes_or_max(swap, memory.unified));
}

Result<void> write_limit(const Directory& memory, int64_t limit) {
  return write_cgroup_file(memory, memory.unified ? "memory.max" : "memory.limit_in_bytes",
                           bytes_or_max(limit, memory.unified));
}

Result<void> apply_limit_and_swap(const LimitWriter& writer, const oci::Resources& resources) {
  const auto limit = set(resources.memory_limit);
  const auto swap = set(resources.memory_swap);
  if (!limit && !swap) return {};
  STRATA_TRY(const Directory* memory, writer.find("memory", "memory.limit"));
  if (swap && *swap >= 0 && (!limit || *limit < 0 || *swap < *limit))
    return fail(EINVAL, "memory swap limit: it counts memory, too, and can't be below its limit");
  if (limit && resources.memory_check_before_update) STRATA_CHECK(check_usage(*memory, *limit));
  if (!swap) return write_limit(*memory, *limit);
  // On v1 neither may pass the other on its way, so one of the two orders is right.
  if (!limit || write_limit(*memory, *limit)) return write_swap(*memory, limit.value_or(-1), *swap);
  STRATA_CHECK(write_swap(*memory, *limit, *swap));
  return write_limit(*memory, *limit);
}

// Files that only old kernels have: "unlimited" is what a kernel without them does.
Result<void> apply_kernel(const LimitWriter& writer, std::optional<int64_t> limit,
                          const char* member, const char* file) {
  if (!set(limit) || *limit < 0) return {};
  return writer.write("memory", member, file, nullptr, std::to_string(*limit));
}

Result<void> apply_hierarchy(const LimitWriter& writer, std::optional<bool> use) {
  constexpr const char* kMember = "memory.useHierarchy";
  if (!use) return {};
  STRATA_TRY(const Directory* memory, writer.find("memory", kMember));
  // Since Linux 5.11 on v1, and always on v2, there is nothing else.
  if (*use) return {};
  if (memory->unified) return unsupported_limit(kMember, "cgroup v2 is always hierarchical");
  return write_cgroup_file(*memory, "memory.use_hierarchy", "0");
}

}  // namespace

Result<void> apply_memory(const LimitWriter& writer, const oci::Resources& resources) {
  STRATA_CHECK(apply_limit_and_swap(writer, resources));
  if (const auto reservation = set(resources.memory_reservation)) {
    STRATA_TRY(const Directory* memory, writer.find("memory", "memory.reservation"));
    STRATA_CHECK(write_cgroup_file(*memory,
                                   memory->unified ? "memory.low" : "memory.soft_limit_in_bytes",
                                   bytes_or_max(*reservation, memory->unified)));
  }
  STRATA_CHECK(
      apply_kernel(writer, resources.memory_kernel, "memory.kernel", "memory.kmem.limit_in_bytes"));
  STRATA_CHECK(apply_kernel(writer, resources.memory_kernel_tcp, "memory.kernelTCP",
                            "memory.kmem.tcp.limit_in_bytes"));
  STRATA_CHECK(apply_hierarchy(writer, resources.memory_use_hierarchy));
  if (resources.memory_swappiness)
    STRATA_CHECK(writer.write("memory", "memory.swappiness", "memory.swappiness", nullptr,
                              std::to_string(*resources.memory_swappiness)));
  if (resources.memory_disable_oom_killer)
    STRATA_CHECK(
        writer.write("memory", "memory.disableOOMKiller", "memory.oom_control", nullptr, "1"));
  return {};
}

}  // namespace strata::linux
