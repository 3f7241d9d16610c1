#include "runtime/linux/early_network.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>

#include "runtime/linux/loopback.h"

namespace strata::linux {

struct EarlyNetwork::Work {
  enum State { kWaiting, kUnderWay, kDone, kGivenUp };
  std::atomic<State> state = kWaiting;
  std::atomic<bool> placed = false;  // on its CPUs
  UniqueFd made;

  void run() {
    State waiting = kWaiting;
    if (!state.compare_exchange_strong(waiting, kUnderWay)) return;
    if (::unshare(CLONE_NEWNET) == 0 && bring_loopback_up() == 0)
      made.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    state = kDone;
    state.notify_one();
  }
};

namespace {

// The CPUs that we may use but for the one that we are on. A new thread is best put there by hand:
// left alone it mostly starts where its maker runs, and only when that one sleeps; on a virtual
// machine always, whose halted CPUs look preempted (available_idle_cpu() in kernel/sched/).
bool find_other_cpus(cpu_set_t& cpus) {
  const int own = ::sched_getcpu();
  if (own < 0 || ::sched_getaffinity(0, sizeof cpus, &cpus) < 0) return false;
  CPU_CLR(own, &cpus);
  return CPU_COUNT(&cpus) > 0;
}

}  // namespace

EarlyNetwork EarlyNetwork::begin(const oci::Linux& linux) {
  const auto has = [&](std::string_view type) {
    return std::ranges::any_of(linux.namespaces, [&](const auto& ns) { return ns.type == type; });
  };
  const bool is_new = std::ranges::any_of(
      linux.namespaces, [](const auto& ns) { return ns.type == "network" && ns.path.empty(); });
  // Time namespaces are entered by single-threaded processes only (timens_install()).
  return is_new && !has("user") && !has("time") ? begin() : EarlyNetwork();
}

EarlyNetwork EarlyNetwork::begin() {
  EarlyNetwork early;
  cpu_set_t cpus;
  if (!find_other_cpus(cpus)) return early;
  auto work = std::make_shared<Work>();
  try {
    std::thread thread([work] {
      work->run();
      work->placed.wait(false);
    });
    // Of a thread that has ended it would be our own CPUs, which the container inherits.
    ::pthread_setaffinity_np(thread.native_handle(), sizeof cpus, &cpus);
    work->placed = true;
    work->placed.notify_one();
    thread.detach();
    early.work_ = std::move(work);
  } catch (const std::system_error&) {
    // No thread to be had: no head start.
  }
  return early;
}

UniqueFd EarlyNetwork::take() {
  const auto work = std::move(work_);
  auto state = Work::kWaiting;
  if (!work || work->state.compare_exchange_strong(state, Work::kGivenUp)) return {};
  work->state.wait(Work::kUnderWay);
  return std::move(work->made);
}

}  // namespace strata::linux
