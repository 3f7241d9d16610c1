// Which system calls of a whole tree cost most, as a table for the terminal.
//
// Private to probes/. Thread rule: main thread only (it may paint).
#pragma once

#include <string>
#include <vector>

#include "probes/startup.h"
#include "probes/timeline.h"

namespace strata::probes {

// The calls of all processes added up by name, the costliest first.
[[nodiscard]] std::vector<CallSum> total_calls(const StartupTrace& trace);

// The first of them, those that work and those that wait apart.
[[nodiscard]] std::string draw_call_table(const StartupTrace& trace, const TimelineStyle& style);

}  // namespace strata::probes
