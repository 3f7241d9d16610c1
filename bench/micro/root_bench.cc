// What does changing the root cost? The usual sequence in a fresh mount namespace: make mounts
// private, mount a new root (a tmpfs here), pivot_root(2) onto itself, detach the old root.

#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <benchmark/benchmark.h>

#include "bench/micro/child.h"

namespace strata::bench::micro {
namespace {

bool make_private() {
  return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool mount_new_root() {
  return ::mount("tmpfs", "/tmp", "tmpfs", 0, nullptr) == 0 && ::chdir("/tmp") == 0;
}

bool change_root() {
  return ::syscall(SYS_pivot_root, ".", ".") == 0 && ::umount2(".", MNT_DETACH) == 0;
}

void root_bench(benchmark::State& state, bool (*work)()) {
  for ([[maybe_unused]] const auto _ : state) {
    const auto took = time_in_child(CLONE_NEWNS, work);
    if (!took) {
      state.SkipWithError(std::strerror(errno));
      break;
    }
    state.SetIterationTime(took->count());
  }
}

BENCHMARK_CAPTURE(root_bench, make_private, make_private)->UseManualTime();
BENCHMARK_CAPTURE(root_bench, new_root_mounted, [] {
  return make_private() && mount_new_root();
})->UseManualTime();
BENCHMARK_CAPTURE(root_bench, new_root_pivoted, [] {
  return make_private() && mount_new_root() && change_root();
})->UseManualTime();

}  // namespace
}  // namespace strata::bench::micro
