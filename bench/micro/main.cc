// strata-bench-micro: the cost of single kernel features that containers are made of, as a Google
// Benchmark program. Its JSON (--benchmark_out=FILE --benchmark_out_format=json) is read by
// `strata bench report`.

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>

#include <benchmark/benchmark.h>

#include "unionfs/base/terminal.h"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  // What is mounted here stays here, the tmpfs to work on first of all.
  if (::unshare(CLONE_NEWNS) < 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
      ::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) < 0) {
    strata::print_error("strata-bench-micro", strata::posix_error("prepare mounts (as root)"));
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
