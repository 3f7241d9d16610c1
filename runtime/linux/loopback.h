// For the .cc files of runtime/linux only. Async-signal-safe.
#pragma once

namespace strata::linux {

// Of the caller's network namespace. -1 with errno.
[[nodiscard]] int bring_loopback_up() noexcept;

}  // namespace strata::linux
