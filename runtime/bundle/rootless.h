// Containers of a user without privileges. Such a user is root in a user namespace only: this
// process goes there first, with a mount namespace of its own, and does there what root does
// outside. The container shares that user namespace instead of having a further one.
//
// Thread rule: call from a single-threaded process. There is no way back.
#pragma once

#include "runtime/bundle/bundle.h"
#include "runtime/bundle/container.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// Whether a container does without the cgroups that its maker may not make. A limit that needs one
// is an error still.
enum class Rootless { kAuto, kYes, kNo };  // kAuto: if its maker is not the host's root

// Before anything is made: enters the user namespace that the configuration asks for and takes it
// out of there. Nothing for who has privileges. EINVAL: "rootless container requires user
// namespaces"; else enter_new_user_namespace().
[[nodiscard]] Result<void> become_root_for(Bundle& bundle);

// Before something is done inside of a container: enters its user namespace. Nothing for root.
[[nodiscard]] Result<void> become_root_in(const Container& container);

}  // namespace strata::bundle
