#include "bench/targets/targets.h"

#include "unionfs/base/subprocess.h"

namespace strata::bench {

OwnPrograms find_own_programs() {
  const auto find = [](const char* name) { return find_own_program(name).value_or(""); };
  return {.launcher = find("strata-bench-launch"),
          .strata = find("strata"),
          .oci = find(kOwnOciRuntime),
          .vm = find("strata-vm"),
          .floor = find("strata-bench-floor"),
          .kvm_floor = find("strata-bench-kvm-floor"),
          .lookup = find("strata-bench-lookup"),
          .density = find("strata-bench-density")};
}

Targets make_targets(const OwnPrograms& programs) {
  Targets targets;
  targets.push_back(make_process());
  targets.push_back(make_floor(programs));
  targets.push_back(make_strata(programs, StrataMode::kForeground));
  targets.push_back(make_strata(programs, StrataMode::kFlat));
  targets.push_back(make_strata(programs, StrataMode::kDetached));
  targets.push_back(make_bubblewrap());
  for (const char* runtime : {kOwnOciRuntime, "crun", "runc", "youki"})
    targets.push_back(make_oci_runtime(programs, runtime));
  targets.push_back(make_podman(programs));
  targets.push_back(make_vm(programs, "microvm"));
  targets.push_back(make_vm(programs, "q35"));
  targets.push_back(make_kvm_floor(programs));
  return targets;
}

}  // namespace strata::bench
