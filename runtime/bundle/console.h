// Terminals and process IDs handed to whoever started us.
//
// Thread rule: any thread.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "unionfs/base/result.h"

namespace strata::bundle {

// Sends the master of a terminal to the Unix stream socket at `path`, which the engine listens on,
// as runc does: one message with its name, the descriptor beside it (unix(7), SCM_RIGHTS).
[[nodiscard]] Result<void> send_console(const std::filesystem::path& path, int master);

// --pid-file: the number and nothing else, atomically.
[[nodiscard]] Result<void> write_pid_file(const std::filesystem::path& path, pid_t pid);

}  // namespace strata::bundle
