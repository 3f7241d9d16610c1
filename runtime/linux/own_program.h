// Keeping the host's own program out of a container's reach.
//
// A process that enters a container can be made to execute /proc/self/exe, as the interpreter of a
// script that the container put in place of the program asked for. It is then the host's `strata`,
// among the container's processes, and its file can be opened for writing through /proc/<pid>/exe
// by a container's root without a user namespace (CVE-2019-5736). Through a read-only mount it
// can't.
#pragma once

#include "unionfs/base/result.h"

namespace strata::linux {

// Executes this program once more, with the same arguments and environment, from a read-only
// detached mount of its file, where it returns at once. REQUIRES: called first in main(), before
// anything was done that execve would undo. For programs that enter running containers; it takes
// some 400 µs.
[[nodiscard]] Result<void> run_from_read_only_mount(char* const* argv);

}  // namespace strata::linux
