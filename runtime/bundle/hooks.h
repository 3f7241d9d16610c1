// The programs that a configuration wants run at set points of a container's life (runtime-spec,
// "POSIX-platform Hooks"): in their order, each with the container's state on standard input, and
// killed when its time is over.
//
// Thread rule: call from a single-threaded process.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "runtime/bundle/container.h"
#include "runtime/oci/spec_hooks.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// Where a hook runs. Its path is the host's in all but startContainer, whose path is the
// container's.
struct HookPlace {
  pid_t process = 0;  // in this process's mount, network, ipc, uts and cgroup namespaces, with the
                      // file system that it has as its root; 0: in our own
  // In the container itself, as one of its programs: with what its configuration gives to its
  // process and no more, since the hook's program is its image's. Null: not so.
  const Container* inside = nullptr;
};

// Runs them one after the other and stops at the first that fails: "error running prestart hook #0:
// exit status 1, stdout: …, stderr: …".
[[nodiscard]] Result<void> run_hooks(std::string_view kind, const std::vector<oci::Hook>& hooks,
                                     const std::string& state, HookPlace place);

}  // namespace strata::bundle
