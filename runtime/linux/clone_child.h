// One clone3(2): the child's namespaces that have to be there at its birth, and the mapping of its
// IDs. For the .cc files of runtime/linux only.
#pragma once

#include "runtime/linux/child_plan.h"
#include "runtime/linux/namespace_plan.h"

namespace strata::linux {

struct Child {
  pid_t pid = -1;
  UniqueFd pidfd;
  UniqueFd channel;  // our end
};

using ChildMain = void (*)(const ChildPlan&) noexcept;

// The child is ours to reap, and runs `main`. In a user namespace it waits for a byte on the
// channel until map_child() was called. The caller's own namespaces are what they were when this
// returns.
[[nodiscard]] Result<Child> clone_child(ChildPlan& plan, const NamespacePlan& namespaces,
                                        const Cgroup* cgroup, ChildMain main);

// In a user namespace: maps its IDs, does for it what it may not do by itself any more, and lets it
// go on. Nothing otherwise.
[[nodiscard]] Result<void> map_child(pid_t pid, int channel, const ChildPlan& plan,
                                     const NamespacePlan& namespaces);

}  // namespace strata::linux
