// A startup trace as it stands in a result document. Thread rule: pure function.
#pragma once

#include "bench/result.h"
#include "probes/startup.h"

namespace strata::bench {

// Times in the breakdown are since the program replaced what was before it in its process: the
// harness's child, or, `through_launcher`, the launcher, whose own few system calls are then among
// those of the program's process. What the probe had to drop is an event of kind "incomplete".
[[nodiscard]] ProbeBreakdown to_breakdown(const probes::StartupTrace& trace, bool through_launcher);

}  // namespace strata::bench
