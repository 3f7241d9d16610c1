#include "probes/trace_builder.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace strata::probes {
namespace {

// Signed: an event that lies before the origin (a lost first event) must not wrap around.
int64_t since(uint64_t origin, uint64_t time) {
  return static_cast<int64_t>(time - origin);
}

std::vector<CallSum> named_sums(std::vector<RawCallSum> raw) {
  std::ranges::sort(raw, [](const auto& a, const auto& b) {
    return std::pair(b.total_ns, a.number) < std::pair(a.total_ns, b.number);
  });
  std::vector<CallSum> sums;
  sums.reserve(raw.size());
  for (const auto& sum : raw) {
    sums.push_back({.name = syscall_name(sum.number),
                    .count = sum.count,
                    .errors = sum.errors,
                    .total_ns = sum.total_ns,
                    .max_ns = sum.max_ns});
  }
  return sums;
}

}  // namespace

void TraceBuilder::add(const Event& event) {
  std::visit([this](const auto& e) { take(e); }, event);
}

void TraceBuilder::add(const RawCallSum& sum) {
  processes_[sum.process].calls.push_back(sum);
}

TraceBuilder::Process& TraceBuilder::process_of(const EventHead& head) {
  auto& process = processes_[head.process];
  if (process.seen_ns == 0 || head.time_ns < process.seen_ns) process.seen_ns = head.time_ns;
  if (process.pid == 0) {
    process.pid = head.pid;
    process.own_pid = head.own_pid;
  }
  return process;
}

void TraceBuilder::take(const Born& born) {
  auto& process = process_of(born.head);
  if (born.kind == Birth::kThread) {
    ++process.threads;
    return;
  }
  process.pid = born.head.pid;
  process.own_pid = born.head.own_pid;
  process.parent = born.parent;
  process.born_ns = born.head.time_ns;
  if (born.head.time_ns >= process.named_ns) {
    process.named_ns = born.head.time_ns;
    process.comm = born.comm;
  }
}

void TraceBuilder::take(const Executed& executed) {
  auto& process = process_of(executed.head);
  if (executed.head.time_ns >= process.named_ns) {
    process.named_ns = executed.head.time_ns;
    process.comm = executed.comm;
  }
  process.executions.push_back(executed);
}

void TraceBuilder::take(const Exited& exited) {
  auto& process = process_of(exited.head);
  process.named_ns = exited.head.time_ns;
  process.comm = exited.comm;
  process.exit = exited;
}

void TraceBuilder::take(const Called& called) {
  if (calls_.size() < call_limit_) {
    calls_.push_back(called);
  } else {
    ++calls_over_limit_;
  }
}

// The command's first execve; if that event was lost, the earliest thing known.
uint64_t TraceBuilder::origin() const {
  const auto command = processes_.find(1);
  if (command != processes_.end() && command->second.born_ns) return *command->second.born_ns;
  auto earliest = std::numeric_limits<uint64_t>::max();
  for (const auto& [id, process] : processes_) {
    if (process.seen_ns != 0) earliest = std::min(earliest, process.seen_ns);
  }
  return earliest == std::numeric_limits<uint64_t>::max() ? 0 : earliest;
}

uint64_t TraceBuilder::last_time() const {
  uint64_t last = origin();
  for (const auto& [id, process] : processes_) {
    last = std::max({last, process.born_ns.value_or(0), process.named_ns});
    if (process.exit) last = std::max(last, process.exit->head.time_ns);
  }
  for (const auto& call : calls_) last = std::max(last, call.head.time_ns + call.duration_ns);
  return last;
}

TracedProcess TraceBuilder::finish(uint32_t id, Process process, uint64_t origin_ns) {
  TracedProcess traced{.id = id,
                       .parent = process.parent,
                       .pid = process.pid,
                       .own_pid = process.own_pid,
                       .comm = std::move(process.comm),
                       .threads = process.threads,
                       .calls = named_sums(std::move(process.calls))};
  // A process known by its call sums alone has no time at all.
  const uint64_t first_seen = process.born_ns.value_or(process.seen_ns);
  if (first_seen != 0) traced.start_ns = since(origin_ns, first_seen);
  if (process.exit) {
    traced.end_ns = since(origin_ns, process.exit->head.time_ns);
    traced.status = process.exit->status;
  }
  std::ranges::sort(process.executions, {}, [](const Executed& e) { return e.head.time_ns; });
  for (auto& e : process.executions) {
    traced.executions.push_back({.at_ns = since(origin_ns, e.head.time_ns),
                                 .path = std::move(e.path),
                                 .arguments = std::move(e.arguments),
                                 .arguments_cut = e.arguments_cut});
  }
  return traced;
}

std::vector<Call> TraceBuilder::finish_calls(uint64_t origin_ns) {
  std::ranges::sort(calls_, {}, [](const Called& c) { return c.head.time_ns; });
  std::vector<Call> calls;
  calls.reserve(calls_.size());
  for (const auto& c : calls_) {
    calls.push_back({.process = c.head.process,
                     .thread = c.head.pid,
                     .at_ns = since(origin_ns, c.head.time_ns),
                     .duration_ns = static_cast<int64_t>(c.duration_ns),
                     .number = c.number,
                     .result = c.result});
  }
  return calls;
}

StartupTrace TraceBuilder::build(const Drops& drops) {
  const uint64_t origin_ns = origin();
  StartupTrace trace;
  trace.origin_ns = static_cast<int64_t>(origin_ns);
  trace.duration_ns = since(origin_ns, last_time());
  trace.drops = drops;
  trace.drops.calls += calls_over_limit_;
  trace.processes.reserve(processes_.size());
  for (auto& [id, process] : processes_)
    trace.processes.push_back(finish(id, std::move(process), origin_ns));
  trace.calls = finish_calls(origin_ns);
  *this = TraceBuilder(call_limit_);
  return trace;
}

}  // namespace strata::probes
