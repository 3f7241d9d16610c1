// How a process puts itself under a probe before it calls execve(2).
#pragma once

namespace strata::probes {

// Enters the calling thread, and with it everything that it will start, into the tree that the
// probe of `join_fd` watches. Returns 0 or an errno value. Async-signal-safe: for use between fork
// and exec. Needs CAP_BPF and CAP_PERFMON like the probe itself, so: before giving up privileges.
[[nodiscard]] int join_tree(int join_fd) noexcept;

}  // namespace strata::probes
