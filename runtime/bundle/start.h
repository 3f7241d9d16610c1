// Letting a created container's program run.
//
// Thread rule: call from a single-threaded process.
#pragma once

#include "runtime/bundle/container.h"
#include "runtime/bundle/log.h"
#include "runtime/oci/spec_hooks.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// Runs the startContainer hooks, lets the program go, returns when it is executed, and runs the
// poststart hooks. EINVAL in runc's words if the container is not "created". If a startContainer
// hook fails the container is killed.
[[nodiscard]] Result<void> start(Container& container, Log& log);

// The rest of a start; what fails is logged and changes nothing (runtime-spec, "Lifecycle").
void run_poststart_hooks(const Container& container, const oci::Hooks& hooks, Log& log);

}  // namespace strata::bundle
