// The listener of a seccomp filter, on its way to who decides.
//
// Thread rule: any thread.
#pragma once

#include "runtime/bundle/container.h"
#include "runtime/linux/launch.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// Sends it to the socket that the configuration names; nothing to do if there is none. To be called
// before the program runs.
[[nodiscard]] Result<void> hand_over_listener(const Record& record, Status status,
                                              const oci::Spec& spec, linux::Launched& launched);

}  // namespace strata::bundle
