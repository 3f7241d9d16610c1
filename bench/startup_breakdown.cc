#include "bench/startup_breakdown.h"

#include <algorithm>
#include <map>
#include <string>

namespace strata::bench {
namespace {

// When the program of interest began, on the trace's clock.
int64_t origin(const probes::StartupTrace& trace, bool through_launcher) {
  if (trace.processes.empty()) return 0;
  const auto& executions = trace.processes.front().executions;
  const size_t of_interest = through_launcher ? 1 : 0;
  return of_interest < executions.size() ? executions[of_interest].at_ns : 0;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

void add_events(const probes::TracedProcess& process, int64_t zero,
                std::vector<ProbeEvent>& events) {
  const auto add = [&](int64_t at, const char* kind, std::string detail) {
    if (at >= zero) events.push_back({at - zero, process.pid, kind, std::move(detail)});
  };
  if (process.parent != 0) add(process.start_ns, "fork", process.comm);
  for (const auto& execution : process.executions)
    add(execution.at_ns, "exec",
        execution.arguments.empty() ? execution.path : joined(execution.arguments));
  if (process.end_ns) add(*process.end_ns, "exit", std::to_string(process.status.value_or(0)));
}

ProbeProcess make_process(const probes::TracedProcess& process, pid_t parent, int64_t zero) {
  ProbeProcess out;
  out.pid = process.pid;
  out.parent_pid = parent;
  out.command = process.comm;
  out.start_ns = std::max<int64_t>(0, process.start_ns - zero);
  if (!process.executions.empty()) out.exec_ns = process.executions.back().at_ns - zero;
  if (process.end_ns) out.end_ns = *process.end_ns - zero;
  out.exit_status = process.status;
  return out;
}

void add_costs(const probes::TracedProcess& process, std::map<std::string, ProbeCost>& costs) {
  for (const auto& call : process.calls) {
    ProbeCost& cost = costs[call.name];
    cost.group = "syscall";
    cost.name = call.name;
    cost.count += call.count;
    cost.total_ns += static_cast<int64_t>(call.total_ns);
  }
}

}  // namespace

ProbeBreakdown to_breakdown(const probes::StartupTrace& trace, bool through_launcher) {
  ProbeBreakdown breakdown;
  breakdown.probe = "startup";
  const int64_t zero = origin(trace, through_launcher);
  std::map<uint32_t, pid_t> pids;
  std::map<std::string, ProbeCost> costs;
  for (const auto& process : trace.processes) {
    pids[process.id] = process.pid;
    const auto parent = pids.find(process.parent);
    breakdown.processes.push_back(
        make_process(process, parent != pids.end() ? parent->second : 0, zero));
    add_events(process, zero, breakdown.events);
    add_costs(process, costs);
  }
  std::ranges::stable_sort(breakdown.events, {}, &ProbeEvent::at_ns);
  for (auto& [name, cost] : costs) breakdown.costs.push_back(std::move(cost));
  std::ranges::stable_sort(breakdown.costs, std::ranges::greater(), &ProbeCost::total_ns);
  if (trace.drops.any()) {
    breakdown.events.push_back({trace.duration_ns - zero, 0, "incomplete",
                                std::to_string(trace.drops.events) + " events, " +
                                    std::to_string(trace.drops.call_sums) + " calls and " +
                                    std::to_string(trace.drops.tasks) + " tasks were lost"});
  }
  return breakdown;
}

}  // namespace strata::bench
