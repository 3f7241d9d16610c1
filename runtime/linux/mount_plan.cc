// Building and checking; mount_prepare.cc and mount_attach.cc carry the plan out.

#include "runtime/linux/mount_plan.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace strata::linux {
namespace {

std::string describe(const oci::Mount& mount) {
  return "mount " + (mount.type.empty() ? mount.source : mount.type) + " on '" + mount.destination +
         "'";
}

// Plain form of an absolute path; nullopt-like empty result for what must be refused.
Result<std::string> plain_target(const oci::Mount& mount) {
  const std::string_view given = mount.destination;
  if (given.empty()) return fail(EINVAL, describe(mount) + ": no destination");
  if (given.find('\0') != std::string_view::npos)
    return fail(EINVAL, describe(mount) + ": the destination contains a NUL");
  std::string plain;
  for (size_t at = 0; at < given.size();) {
    const size_t end = std::min(given.find('/', at), given.size());
    const auto component = given.substr(at, end - at);
    at = end + 1;
    if (component.empty() || component == ".") continue;
    if (component == "..") return fail(EINVAL, describe(mount) + ": '..' in the destination");
    plain += "/";
    plain += component;
  }
  if (plain.empty()) return fail(EINVAL, describe(mount) + ": nothing can be mounted on the root");
  return plain;
}

// Mappings alone ask for an ID-mapped mount, too, as in runc.
Result<void> plan_id_maps(const oci::Mount& mount, PlannedMount& planned) {
  if (mount.uid_mappings.empty() && mount.gid_mappings.empty()) return {};
  STRATA_CHECK(check_mappings(mount.uid_mappings, describe(mount) + ": uidMappings"));
  STRATA_CHECK(check_mappings(mount.gid_mappings, describe(mount) + ": gidMappings"));
  planned.options.id_mapped = true;
  planned.uid_mappings = mount.uid_mappings;
  planned.gid_mappings = mount.gid_mappings;
  return {};
}

Result<PlannedMount> plan_one(const oci::Mount& mount) {
  PlannedMount planned{.type = mount.type, .source = mount.source};
  STRATA_TRY(planned.target, plain_target(mount));
  auto options = parse_mount_options(mount.options);
  if (!options) return fail_in(describe(mount), std::move(options).error());
  planned.options = *std::move(options);
  STRATA_CHECK(plan_id_maps(mount, planned));
  if (mount.type == "bind" || planned.options.bind) {
    planned.kind = PlannedMount::Kind::kBind;
    if (!planned.source.starts_with('/'))
      return fail(EINVAL, describe(mount) + ": the source is not an absolute path");
    return planned;
  }
  if (planned.options.id_mapped)
    return fail(EINVAL, describe(mount) + ": only bind mounts can be ID-mapped");
  if (mount.type.empty()) return fail(EINVAL, describe(mount) + ": no file system type");
  if (mount.type == "cgroup" || mount.type == "cgroup2") planned.kind = PlannedMount::Kind::kCgroup;
  return planned;
}

// As in runc (checkProcMount).
constexpr auto kEmulated = std::to_array<std::string_view>(
    {"/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/net/dev",
     "/proc/slabinfo", "/proc/stat", "/proc/swaps", "/proc/sys/crypto/fips_enabled",
     "/proc/sys/kernel/ns_last_pid", "/proc/uptime"});

}  // namespace

bool PlannedMount::may_cover_proc() const {
  if (target == "/proc") return type == "proc" || kind == Kind::kBind;
  return std::find(kEmulated.begin(), kEmulated.end(), target) != kEmulated.end();
}

Result<MountPlan> MountPlan::build(const oci::Spec& spec) {
  MountPlan plan;
  plan.mounts_.reserve(spec.mounts.size());
  for (const auto& mount : spec.mounts) {
    STRATA_TRY(auto planned, plan_one(mount));
    if ((planned.target + "/").starts_with("/proc/") && !planned.may_cover_proc())
      return fail(EINVAL, describe(mount) + ": only a procfs may be there");
    std::erase_if(plan.mounts_, [&](const auto& other) { return other.target == planned.target; });
    plan.mounts_.push_back(std::move(planned));
  }
  return plan;
}

const PlannedMount* MountPlan::find(std::string_view target) const {
  for (const auto& mount : mounts_)
    if (mount.target == target) return &mount;
  return nullptr;
}

}  // namespace strata::linux
