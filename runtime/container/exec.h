// A further command in a running container.
//
// Thread rule: main thread of a single-threaded process.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/container/attach.h"
#include "runtime/container/container.h"
#include "unionfs/base/result.h"

namespace strata::container {

struct ExecOptions {
  std::vector<std::string> args;  // REQUIRES: not empty
  std::vector<std::string> env;   // on top of the container's own, as in CreateOptions
  std::optional<std::string> working_dir, user;
  bool terminal = false;
  bool input = false;   // feed our standard input
  bool detach = false;  // don't wait; the command gets no streams
};

struct ExecResult {
  std::optional<StartFailure> failure;  // it was not started
  int status = 0;                       // its exit status; 0 if detached
};

// Runs the command to its end (or detached). The command ends with the container, not with us: if
// this program is killed it goes on without streams.
[[nodiscard]] Result<ExecResult> exec(const Container& container, const ExecOptions& options);

}  // namespace strata::container
