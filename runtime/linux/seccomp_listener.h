// Handing the listener of a filter to whoever decides: `linux.seccomp.listenerPath`.
//
// Source: runtime-spec config-linux.md, "The container process state"; seccomp_unotify(2).
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"

namespace strata::linux {

// Connects to the Unix stream socket at `path` and sends one message: `state`, the container
// Connects to the Unix stream socket at `path` and sends one message: `state`, the container
// process state as JSON, with the listener beside it (SCM_RIGHTS).
// To be called before the program runs: its first call that is asked about waits for an answer.
[[nodiscard]] Result<void> send_seccomp_listener(const std::string& path, std::string_view state,
                                                 int listener);

}  // namespace strata::linux
