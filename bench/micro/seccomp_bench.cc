// What does a seccomp filter cost to load? A filter that compares the system call's number with N
// others (docker's default profile has about 350), loaded by a process of its own. The kernel
// checks, converts and compiles the program, and asks it once for every system call there is
// (kernel/seccomp.c: seccomp_cache_prepare()).

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/micro/child.h"

namespace strata::bench::micro {
namespace {

constexpr uint32_t kNoSuchCall = 1 << 20;

std::vector<sock_filter> make_filter(int64_t comparisons) {
  std::vector<sock_filter> filter;
  filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (int64_t i = 0; i < comparisons; ++i) {
    // Equal: go on to the refusal that follows; else skip it.
    filter.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNoSuchCall + static_cast<uint32_t>(i), 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  return filter;
}

bool load(const std::vector<sock_filter>& filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

void seccomp_load_bench(benchmark::State& state) {
  const auto filter = make_filter(state.range(0));
  for ([[maybe_unused]] const auto _ : state) {
    const auto took = time_in_child(0, [&] { return load(filter); });
    if (!took) {
      state.SkipWithError(std::strerror(errno));
      break;
    }
    state.SetIterationTime(took->count());
  }
}

BENCHMARK(seccomp_load_bench)->ArgName("comparisons")->Arg(1)->Arg(50)->Arg(350)->UseManualTime();

}  // namespace
}  // namespace strata::bench::micro
