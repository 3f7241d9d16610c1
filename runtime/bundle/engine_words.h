// Errors in the words that engines look for: Docker and Podman tell "not found" (127) and "may not
// be executed" (126) from the text of runc's errors.
#pragma once

#include <string>

#include "unionfs/base/result.h"

namespace strata::bundle {

// The error of Launched::start(): 'exec: "x": executable file not found in $PATH',
// 'exec: "/x": stat /x: no such file or directory', 'exec: "x": permission denied'.
[[nodiscard]] Error words_of_exec_error(const std::string& program, const Error& error);

// Every error of making a process: "unable to start container process: …".
[[nodiscard]] Error unable_to_start(Error error);

}  // namespace strata::bundle
