// Benchmarks that depend on the machine and so are registered at run time.
#pragma once

namespace strata::bench::micro {

// One for each cgroup hierarchy.
void register_cgroup_benches();

}  // namespace strata::bench::micro
