// The targets that the suites know, each made by one function of its own file.
//
// Thread rule: any thread.
#pragma once

#include <memory>
#include <string>

#include "bench/target_driver.h"

namespace strata::bench {

// Programs of ours, by path; empty: not found.
struct OwnPrograms {
  std::string launcher;
  std::string strata;
  std::string oci;
  std::string vm;  // strata-vm, which `strata vm` becomes
  std::string floor;
  std::string kvm_floor;
  std::string lookup;
  std::string density;
};
[[nodiscard]] OwnPrograms find_own_programs();

// An OCI runtime is called by its program's name. Ours stands with the others of our programs.
inline constexpr const char* kOwnOciRuntime = "strata-oci";
// The path of its program; empty: not found.
[[nodiscard]] std::string oci_program(const OwnPrograms& programs, const std::string& runtime);

enum class StrataMode { kForeground, kFlat, kDetached };

// All of a suite, in the order in which they are listed.
[[nodiscard]] Targets make_targets(const OwnPrograms& programs);
[[nodiscard]] Targets make_lookup_targets(const OwnPrograms& programs);
[[nodiscard]] Targets make_density_targets(const OwnPrograms& programs);

[[nodiscard]] std::unique_ptr<TargetDriver> make_process();
[[nodiscard]] std::unique_ptr<TargetDriver> make_floor(const OwnPrograms& programs);
[[nodiscard]] std::unique_ptr<TargetDriver> make_strata(const OwnPrograms& programs,
                                                        StrataMode mode);
[[nodiscard]] std::unique_ptr<TargetDriver> make_bubblewrap();
[[nodiscard]] std::unique_ptr<TargetDriver> make_oci_runtime(const OwnPrograms& programs,
                                                             const std::string& runtime);
[[nodiscard]] std::unique_ptr<TargetDriver> make_podman(const OwnPrograms& programs);
// `machine`: "microvm" or "q35".
[[nodiscard]] std::unique_ptr<TargetDriver> make_vm(const OwnPrograms& programs,
                                                    const std::string& machine);
// The suite `lookup` inside a VM.
[[nodiscard]] std::unique_ptr<TargetDriver> make_lookup_vm(const OwnPrograms& programs);
[[nodiscard]] std::unique_ptr<TargetDriver> make_kvm_floor(const OwnPrograms& programs);

}  // namespace strata::bench
