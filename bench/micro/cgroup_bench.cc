// What does a cgroup cost? mkdir(2) and rmdir(2) in each hierarchy that this machine has: each v1
// controller's, or the one of v2.
//
// A removed cgroup lives on until its last reference is gone ("dying" cgroups), so making many in
// a row also pays for the ends of earlier ones.

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include <benchmark/benchmark.h>

#include "bench/micro/micro.h"

namespace strata::bench::micro {
namespace {

void cgroup_bench(benchmark::State& state, const std::string& hierarchy) {
  const std::string cgroup = hierarchy + "/strata-bench-micro-" + std::to_string(::getpid());
  for ([[maybe_unused]] const auto _ : state) {
    if (::mkdir(cgroup.c_str(), 0755) == 0 && ::rmdir(cgroup.c_str()) == 0) continue;
    state.SkipWithError(std::strerror(errno));
    break;
  }
}

bool is_cgroup(const std::filesystem::path& directory) {
  return ::access((directory / "cgroup.procs").c_str(), F_OK) == 0;
}

}  // namespace

void register_cgroup_benches() {
  const std::filesystem::path root = "/sys/fs/cgroup";
  const auto add = [](const std::string& name, const std::filesystem::path& hierarchy) {
    benchmark::RegisterBenchmark(("cgroup_bench/" + name).c_str(), [path = hierarchy.string()](
                                                                       benchmark::State& state) {
      cgroup_bench(state, path);
    })->UseRealTime();
  };
  if (is_cgroup(root)) {
    add("v2", root);
    return;
  }
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(root, ec))
    if (!entry.is_symlink(ec) && is_cgroup(entry.path()))
      add(entry.path().filename().string(), entry.path());
}

}  // namespace strata::bench::micro
