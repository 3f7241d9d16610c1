// From a LaunchRequest to a ChildPlan. For the .cc files of runtime/linux only.
#pragma once

#include "runtime/linux/child_plan.h"

namespace strata::linux {

// Which namespaces a spec wants, as clone3(2) and setns(2) take them.
struct NamespacePlan {
  uint64_t clone_flags = 0;    // new ones made by clone3
  uint64_t unshare_flags = 0;  // new ones made by the child
  UniqueFd pid;                // to be joined by the parent, for its next child
  std::vector<ChildPlan::Joined> joined;

  [[nodiscard]] bool makes(uint64_t flag) const {
    return ((clone_flags | unshare_flags) & flag) != 0;
  }
};

// EINVAL: an unknown type, one given twice, no mount namespace. ENOTSUP: user namespaces.
[[nodiscard]] Result<NamespacePlan> plan_namespaces(const std::vector<oci::Namespace>& wanted);

// Checks the whole spec and opens what is needed. `namespaces.joined` moves into the plan.
// REQUIRES: the plan stays where it is (its parts point at one another).
[[nodiscard]] Result<void> prepare_launch(const LaunchRequest& request, NamespacePlan& namespaces,
                                          ChildPlan& plan);

}  // namespace strata::linux
