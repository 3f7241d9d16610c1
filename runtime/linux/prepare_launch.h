// From a LaunchRequest to a ChildPlan. For the .cc files of runtime/linux only.
#pragma once

#include "runtime/linux/child_plan.h"

namespace strata::linux {

// Checks the whole spec and opens what is needed. `namespaces.joined` moves into the plan. EINVAL
// and ENOTSUP name the JSON path.
// REQUIRES: the plan stays where it is (its parts point at one another).
[[nodiscard]] Result<void> prepare_launch(const LaunchRequest& request, NamespacePlan& namespaces,
                                          ChildPlan& plan);

}  // namespace strata::linux
