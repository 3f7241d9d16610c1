// A StartupTrace for a person at a terminal: the process tree with times, bars and the costliest
// system calls.
//
// Thread rule: main thread only (it may paint).
#pragma once

#include <cstddef>
#include <string>

#include "probes/startup.h"

namespace strata::probes {

struct TimelineStyle {
  size_t width = 100;         // columns of the terminal
  int fd = -1;                // where it will be written, which decides on colours; -1: none
  size_t process_limit = 40;  // processes shown; 0: all
};

[[nodiscard]] std::string draw_timeline(const StartupTrace& trace, const TimelineStyle& style);

}  // namespace strata::probes
