// What does a namespace cost? clone3(2) with one namespace flag, the child's immediate end, wait.
//
// Part of a namespace's end is asynchronous (net namespaces above all: net/core/net_namespace.c,
// cleanup_net()), so creating many in a row also pays for the ends of earlier ones.

#include <sched.h>

#include <cerrno>
#include <cstring>
#include <string>

#include <benchmark/benchmark.h>

#include "bench/micro/child.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace strata::bench::micro {
namespace {

void clone_bench(benchmark::State& state, uint64_t flags) {
  for ([[maybe_unused]] const auto _ : state) {
    if (clone_and_wait(flags)) continue;
    state.SkipWithError(std::strerror(errno));
    break;
  }
}

constexpr uint64_t kContainer =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

BENCHMARK_CAPTURE(clone_bench, none, 0)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, mount, CLONE_NEWNS)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, pid, CLONE_NEWPID)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, network, CLONE_NEWNET)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, ipc, CLONE_NEWIPC)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, uts, CLONE_NEWUTS)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, cgroup, CLONE_NEWCGROUP)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, user, CLONE_NEWUSER)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, time, CLONE_NEWTIME)->UseRealTime();
BENCHMARK_CAPTURE(clone_bench, all_but_user_and_time, kContainer)->UseRealTime();

}  // namespace
}  // namespace strata::bench::micro
