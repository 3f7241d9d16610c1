// What a monitor sets up for a container, up to the running program. Private to the monitor.
//
// Thread rule: one user, in a single-threaded process.
#pragma once

#include <expected>

#include "runtime/container/container.h"
#include "runtime/container/start.h"
#include "runtime/container/streams.h"
#include "runtime/linux/cgroup.h"
#include "runtime/linux/launch.h"
#include "runtime/oci/spec.h"

namespace strata::container {

struct RunningProgram {
  oci::Spec spec;
  linux::Cgroup cgroup;
  linux::Launched launched;
  Streams streams;
};

// Mounts the container's root, resolves its user, writes the files for its /etc,
// creates its cgroup, launches and starts its program. On failure everything is undone but for the
// files.
[[nodiscard]] std::expected<RunningProgram, StartFailure> set_up(const Container& container,
                                                                 const StartOptions& options);

}  // namespace strata::container
