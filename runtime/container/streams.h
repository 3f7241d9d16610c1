// The streams of a command in a container: pipes or a terminal, its ends and ours.
//
// Thread rule: plain functions.
#pragma once

#include <sys/ioctl.h>

#include <optional>

#include "runtime/linux/launch.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {

// Our ends. None of them ever makes us wait (O_NONBLOCK).
struct Streams {
  UniqueFd out, err;  // to be read; with a terminal `out` is its master and `err` is invalid
  UniqueFd input;     // write end of standard input, or the terminal again; invalid: /dev/null
};

// The command's ends, for the time of the launch. With a terminal there are none: it is made
// inside.
struct CommandEnds {
  UniqueFd in, out, err;

  [[nodiscard]] linux::Stdio stdio() const { return {in.get(), out.get(), err.get()}; }
};

// Pipes for a command without terminal; standard input only if `with_input`.
[[nodiscard]] Result<CommandEnds> make_pipes(bool with_input, Streams& ours);

// Takes the terminal of a command that waits to be started, and gives it its size.
[[nodiscard]] Result<Streams> take_terminal(linux::Launched& launched,
                                            const std::optional<winsize>& size);

}  // namespace strata::container
