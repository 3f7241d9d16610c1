// What does a cgroup cost? mkdir(2) and rmdir(2) in the hierarchies that this machine may have: the
// one of v2, wherever it is mounted, and each v1 controller's. Those that it lacks say so.
//
// A removed cgroup lives on until its last reference is gone ("dying" cgroups), so making many in
// a row also pays for the ends of earlier ones.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include <benchmark/benchmark.h>

namespace strata::bench::micro {
namespace {

void cgroup_bench(benchmark::State& state, const char* hierarchy) {
  const std::string directory = std::string("/sys/fs/cgroup/") + hierarchy;
  if (::access((directory + "/cgroup.procs").c_str(), F_OK) != 0) {
    state.SkipWithError("not mounted here");
    return;
  }
  const std::string cgroup = directory + "/strata-bench-micro-" + std::to_string(::getpid());
  for ([[maybe_unused]] const auto _ : state) {
    if (::mkdir(cgroup.c_str(), 0755) == 0 && ::rmdir(cgroup.c_str()) == 0) continue;
    state.SkipWithError(std::strerror(errno));
    break;
  }
}

BENCHMARK_CAPTURE(cgroup_bench, v2, ".")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v2_beside_v1, "unified")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_blkio, "blkio")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_cpu, "cpu")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_cpuacct, "cpuacct")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_cpuset, "cpuset")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_devices, "devices")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_freezer, "freezer")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_memory, "memory")->UseRealTime();
BENCHMARK_CAPTURE(cgroup_bench, v1_pids, "pids")->UseRealTime();

}  // namespace
}  // namespace strata::bench::micro
