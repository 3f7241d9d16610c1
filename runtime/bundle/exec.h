// A further program in a container.
//
// Thread rule: call from a single-threaded process.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/bundle/container.h"
#include "runtime/linux/launch.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// What the command line changes of the container's own process.
struct ProcessChanges {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::optional<std::string> cwd;
  std::string user;  // "uid[:gid]"; empty: as it is
  std::vector<uint32_t> additional_gids;
  std::vector<std::string> capabilities;
  std::optional<bool> terminal;
  bool no_new_privileges = false;
};

// The process of the container's configuration with the changes made.
[[nodiscard]] Result<oci::Process> changed_process(const Container& container,
                                                   const ProcessChanges& changes);

struct ExecOptions {
  std::string console_socket;  // empty: none
  std::string pid_file;        // empty: none
  unsigned preserved_fds = 0;
  bool ignore_paused = false;
  bool keep_console = false;  // the terminal comes back in Launched::console()
};

// Starts it; the streams are our own. Errors are in runc's words. On success the process is ours to
// reap, or its next subreaper's.
[[nodiscard]] Result<linux::Launched> exec(const Container& container, const oci::Process& process,
                                           const ExecOptions& options);

// Under exec(): sets a process up that waits for Launched::start(), whatever the container's
// status. `spec` is its configuration.
struct ProcessPlace {
  std::string program;  // in place of the first argument; empty: that
  linux::Stdio stdio;
  unsigned preserved_fds = 0;
  bool program_tells = false;  // linux::ExecRequest
};
[[nodiscard]] Result<linux::Launched> launch_in(const Container& container, const oci::Spec& spec,
                                                const oci::Process& process,
                                                const ProcessPlace& place);

}  // namespace strata::bundle
