// Staying with a process until it ends: signals go to it, and its terminal, if there is one, is
// shown on ours.
//
// Thread rule: main thread of a single-threaded process.
#pragma once

#include "runtime/container/relay.h"
#include "runtime/linux/launch.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

// The exit status, or 128 + signal number. Takes the terminal out of `launched`. REQUIRES:
// `signals` was opened before the launch, so that none is lost.
[[nodiscard]] Result<int> stay_with(linux::Launched& launched, container::SignalRelay& signals);

}  // namespace strata::bundle
