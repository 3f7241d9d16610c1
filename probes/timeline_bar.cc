#include "probes/timeline_bar.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>

namespace strata::probes {
namespace {

// read and its like are either short or wait for the other end of something.
constexpr std::array<std::string_view, 30> kWaiting{
    "accept",       "accept4",       "clock_nanosleep",
    "epoll_pwait",  "epoll_pwait2",  "epoll_wait",
    "futex",        "futex_wait",    "futex_waitv",
    "io_getevents", "io_pgetevents", "msgrcv",
    "nanosleep",    "pause",         "poll",
    "ppoll",        "pselect6",      "read",
    "readv",        "recvfrom",      "recvmmsg",
    "recvmsg",      "rt_sigsuspend", "rt_sigtimedwait",
    "select",       "semop",         "semtimedop",
    "vfork",        "wait4",         "waitid"};
static_assert(std::ranges::is_sorted(kWaiting));

bool is_waiting_number(uint32_t number) {
  // Looked up by name once per number: a trace can hold a million calls.
  thread_local std::unordered_map<uint32_t, bool> known;
  const auto [it, fresh] = known.try_emplace(number);
  if (fresh) it->second = is_waiting(syscall_name(number));
  return it->second;
}

struct Shares {
  double calling = 0;
  double waiting = 0;
};

// Spreads begin … end over the cells that it touches.
void spread(std::vector<Shares>& shares, double Shares::*share, double begin, double end,
            double cell_ns) {
  for (auto cell = static_cast<size_t>(std::max(0.0, begin / cell_ns)); cell < shares.size();
       ++cell) {
    const double cell_begin = static_cast<double>(cell) * cell_ns;
    if (cell_begin >= end) break;
    shares[cell].*share +=
        std::max(0.0, std::min(end, cell_begin + cell_ns) - std::max(begin, cell_begin));
  }
}

}  // namespace

bool is_waiting(std::string_view syscall) {
  return std::ranges::binary_search(kWaiting, syscall);
}

size_t cell_of(int64_t at_ns, int64_t total_ns, size_t cells) {
  if (at_ns <= 0 || total_ns <= 0) return 0;
  const double share = static_cast<double>(at_ns) / static_cast<double>(total_ns);
  return std::min(cells - 1, static_cast<size_t>(share * static_cast<double>(cells)));
}

std::vector<Activity> activities(const TracedProcess& process, std::span<const Call> calls,
                                 int64_t total_ns, size_t cells) {
  std::vector<Activity> result(cells, Activity::kAbsent);
  if (cells == 0) return result;
  const double cell_ns =
      static_cast<double>(std::max<int64_t>(total_ns, 1)) / static_cast<double>(cells);
  std::vector<Shares> shares(cells);
  for (const Call& call : calls) {
    if (call.process != process.id || call.thread != process.pid) continue;
    const auto begin = static_cast<double>(call.at_ns);
    spread(shares, is_waiting_number(call.number) ? &Shares::waiting : &Shares::calling, begin,
           begin + static_cast<double>(call.duration_ns), cell_ns);
  }

  const auto birth = static_cast<double>(process.start_ns);
  const auto death = static_cast<double>(process.end_ns.value_or(total_ns));
  const size_t last = cell_of(process.end_ns.value_or(total_ns), total_ns, cells);
  for (size_t cell = cell_of(process.start_ns, total_ns, cells); cell <= last; ++cell) {
    const double begin = static_cast<double>(cell) * cell_ns;
    const double alive = std::min(death, begin + cell_ns) - std::max(birth, begin);
    const double running = alive - shares[cell].calling - shares[cell].waiting;
    const double most = std::max({running, shares[cell].calling, shares[cell].waiting});
    result[cell] = most == running                ? Activity::kRunning
                   : most == shares[cell].calling ? Activity::kCalling
                                                  : Activity::kWaiting;
  }
  return result;
}

}  // namespace strata::probes
