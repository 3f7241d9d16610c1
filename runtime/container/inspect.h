// A container as the JSON object that `strata inspect` prints. Any thread.
#pragma once

#include <string>

#include "runtime/container/container.h"
#include "unionfs/base/result.h"

namespace strata::container {

// {kind: "container", id, name, image: {id, name}, created, command,
//  config: {env, working_dir, user, hostname, stop_signal, network, terminal, stdin, auto_remove,
//           read_only},
//  state: {status, pid, exit_code, started, finished, oom_killed, error},
//  mounts: [{source, destination, options}], upper, log, bundle, setup: [{step, ns}]},
// indented, no final newline.
[[nodiscard]] Result<std::string> container_to_json(const Container& container);

}  // namespace strata::container
