// From a bundle to a container whose first process waits, or runs.
//
// Killed at any point, `delete --force` clears away what was made: the state directory comes first
// and says which cgroup is the container's before there is one; a process that is not released yet
// ends with its maker.
//
// Thread rule: call from a single-threaded process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "runtime/bundle/bundle.h"
#include "runtime/bundle/container.h"
#include "runtime/bundle/log.h"
#include "runtime/bundle/rootless.h"
#include "runtime/linux/launch.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

struct CreateOptions {
  std::string console_socket;  // empty: none
  std::string pid_file;        // empty: none
  unsigned preserved_fds = 0;
  // Start the program at once and keep the terminal, if there is one (`run`); else it waits on the
  // FIFO for start().
  bool start = false;
  bool keep_console = false;  // the terminal comes back in Launched::console()
  Rootless rootless = Rootless::kAuto;
};

struct Created {
  Container container;
  linux::Launched launched;
};

// The streams are our own. EEXIST: the ID is taken; EINVAL: the configuration asks for a terminal
// and there is no socket for it, or the other way round. Everything is undone on failure.
[[nodiscard]] Result<Created> create(const std::filesystem::path& root, const std::string& id,
                                     const Bundle& bundle, const CreateOptions& options, Log& log);

}  // namespace strata::bundle
