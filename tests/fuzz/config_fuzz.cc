// config.json that is anything: read, checked, and made into plans, up to where the kernel would be
// asked for something. What was read is written as it was read.
#include <cstdlib>

#include "runtime/linux/capabilities.h"
#include "runtime/linux/child_plan.h"
#include "runtime/linux/device_nodes.h"
#include "runtime/linux/device_rules.h"
#include "runtime/linux/mount_plan.h"
#include "runtime/linux/namespace_plan.h"
#include "runtime/linux/seccomp_compile.h"
#include "runtime/oci/spec.h"
#include "tests/fuzz/fuzz_target.h"

namespace {

using namespace strata;

void plan(oci::Spec spec) {
  if (const auto mounts = linux::MountPlan::build(spec)) {
    // No name may leave the root, and only one mount is in each place.
    for (const auto& mount : mounts->mounts())
      if (!mount.target.starts_with('/') ||
          (mount.target + "/").find("/../") != std::string::npos ||
          mounts->find(mount.target) != &mount)
        std::abort();
  }
  for (auto& ns : spec.linux.namespaces) ns.path.clear();  // nothing of this machine is opened
  [[maybe_unused]] const auto namespaces = linux::plan_namespaces(spec.linux);
  [[maybe_unused]] const auto sets = linux::capability_sets(spec.process.capabilities);
  [[maybe_unused]] const auto personality = linux::personality_of(spec.linux);
  for (const auto& device : spec.linux.devices) (void)linux::device_node(device);
  if (const auto rules = linux::complete_device_rules(spec.linux.resources.devices)) {
    for (const auto& rule : *rules) (void)linux::device_rule_text(rule);
    if (linux::device_program(*rules).empty()) std::abort();
  }
  linux::ChildPlan child;
  [[maybe_unused]] const auto process = linux::prepare_process(spec.process, {0, 1, 2}, {}, child);
  if (spec.linux.seccomp && spec.linux.seccomp->syscalls.size() < 20)
    (void)linux::compile_seccomp(*spec.linux.seccomp);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)oci::process_from_json(text, "fuzzed");
  (void)oci::resources_from_json(text, "fuzzed");
  std::vector<std::string> strange;
  auto spec = oci::from_json(text, "fuzzed", &strange);
  if (!spec) return 0;
  const std::string written = oci::to_json(*spec);
  std::vector<std::string> unknown;
  const auto again = oci::from_json(written, "written", &unknown);
  if (!again || !unknown.empty() || oci::to_json(*again) != written) std::abort();
  plan(*std::move(spec));
  return 0;
}

std::vector<std::string> strata::testing::fuzz_seeds() {
  oci::Spec spec = oci::default_spec();
  spec.root.path = "rootfs";
  spec.process.args = {"sh", "-c", "true"};
  spec.process.env = {"PATH=/bin"};
  std::vector<std::string> seeds{oci::to_json(spec)};
  spec.process.rlimits = {{"RLIMIT_NOFILE", 1, 2}};
  spec.process.user.additional_gids = {1, 2};
  spec.process.io_priority = {.io_class = "IOPRIO_CLASS_BE", .priority = 4};
  spec.process.scheduler = {.policy = "SCHED_BATCH", .nice = 3, .flags = {"SCHED_FLAG_RECLAIM"}};
  spec.process.exec_cpu_affinity = {.initial = "0-1", .final = "1"};
  spec.mounts.push_back(
      {"/m", "bind", "/tmp", {"rbind", "rro", "idmap"}, {{0, 1000, 10}}, {{0, 1000, 10}}});
  spec.hooks.prestart = {{.path = "/bin/true", .args = {"true"}, .timeout = 3}};
  spec.linux.namespaces.push_back({"user", ""});
  spec.linux.namespaces.push_back({"time", ""});
  spec.linux.uid_mappings = spec.linux.gid_mappings = {{0, 1000, 10}, {10, 5000, 10}};
  spec.linux.time_offsets = {{"boottime", {.secs = 5, .nanosecs = 6}}};
  spec.linux.devices = {{.type = "c", .path = "/dev/fuse", .major = 10, .minor = 229}};
  spec.linux.sysctl = {{"net.ipv4.ip_forward", "1"}};
  spec.linux.personality = {.domain = "LINUX32"};
  spec.linux.rootfs_propagation = "rslave";
  spec.linux.cgroups_path = "/x/y";
  spec.linux.resources.memory_limit = 1 << 20;
  spec.linux.resources.cpus = "0-3,5";
  spec.linux.resources.unified = {{"memory.high", "1"}};
  spec.linux.resources.devices.push_back(
      {.allow = true, .type = "c", .major = 10, .minor = 229, .access = "rw"});
  spec.linux.seccomp = {.default_action = "SCMP_ACT_ALLOW",
                        .architectures = {"SCMP_ARCH_X86_64"},
                        .syscalls = {{.names = {"getcwd", "personality"},
                                      .action = "SCMP_ACT_ERRNO",
                                      .errno_ret = 1,
                                      .args = {{0, 1, 2, "SCMP_CMP_MASKED_EQ"}}}}};
  seeds.push_back(oci::to_json(spec));
  return seeds;
}
