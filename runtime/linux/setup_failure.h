// Text for what a child reported as numbers. For the .cc files of runtime/linux only.
#pragma once

#include "runtime/linux/child_plan.h"

namespace strata::linux {

// "mount proc on /proc: Operation not permitted".
[[nodiscard]] Error explain_failure(const SetupReport& report, const ChildPlan& plan);

// For a child that died without a word: reaps nothing, asks why.
[[nodiscard]] Error explain_death(int pidfd, const Cgroup* cgroup);

[[nodiscard]] Error explain_exec_failure(const SetupReport& report, const std::string& program);

}  // namespace strata::linux
