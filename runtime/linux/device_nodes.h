// What every container finds in /dev (runtime-spec, config-linux.md, "Default Devices";
// runtime-linux.md, "Dev symbolic links").
#pragma once

#include <string>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::linux {

// Fills the directory: null zero full random urandom tty (0666), and the links ptmx, fd, stdin,
// stdout, stderr, core. What is there already in the same form is fine. Returns the names of the
// nodes that the kernel refused to make (no CAP_MKNOD, a user namespace): there the host's have to
// be bound. REQUIRES: umask 0.
[[nodiscard]] Result<std::vector<std::string>> populate_dev(int dev);

}  // namespace strata::linux
