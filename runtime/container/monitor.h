// The monitor: one small process a container, parent of the container's first process. It sets the
// container up, starts it, writes its log, tells whoever is connected (channel.h), reaps it,
// records how it ended, and clears away what was set up.
//
// It never waits for anybody but the container: not for a reader of the log, not for a client. But
// when the log is as long as it may be, and an attached client has not shown its oldest part, then
// the container waits, as at a pipe that nobody reads.
// Nothing of a container lives longer than it, but files: mounts are the container's own, so a
// killed monitor leaves processes and a cgroup at most (control.h: recover()).
//
// Thread rule: runs alone in its process.
#pragma once

#include "runtime/container/container.h"
#include "runtime/container/start.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

struct MonitorRequest {
  const Container* container = nullptr;
  ContainerLock lock;    // kept to the end
  UniqueFd log;          // opened for reading and appending
  UniqueFd client;       // the first client's channel
  StartOptions options;  // of that client
};

// The whole life of the monitor, in a process just forked.
[[noreturn]] void run_monitor(MonitorRequest request);

}  // namespace strata::container
