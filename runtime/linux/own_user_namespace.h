// Moving this whole process into a user namespace, in which who has no privileges outside is root
// and may do what a container needs. There is no way back.
//
// Source: user_namespaces(7); newuidmap(1), newgidmap(1).
// Thread rule: call from a single-threaded process. For the .cc files of runtime/ only.
#pragma once

#include "runtime/linux/user_namespace.h"
#include "unionfs/base/result.h"

namespace strata::linux {

// A new one, with a mount namespace of its own, whose root we are. Our own ID alone is mapped by
// ourselves, and groups can't be set then; more takes newuidmap and newgidmap, which ask
// /etc/subuid and /etc/subgid. EINVAL: ID 0 is not mapped to the caller's; ENOENT: newuidmap is not
// installed; EPERM, EACCES, ENOSPC, EUSERS with their reason: this host makes no user namespaces
// for users, or has not given them these IDs.
[[nodiscard]] Result<void> enter_new_user_namespace(const IdMaps& maps);

// That of another process, which must have been made by our user. Nothing if it is our own.
[[nodiscard]] Result<void> enter_user_namespace_of(int pidfd);

// Whether this process is in another than the host's first one: what "root" may do is limited then.
[[nodiscard]] bool in_user_namespace();

}  // namespace strata::linux
