#include "bench/startup_breakdown.h"

#include <gmock/gmock.h>

namespace strata::bench {
namespace {

probes::StartupTrace a_trace() {
  probes::StartupTrace trace;
  trace.processes = {
      {.id = 1,
       .pid = 100,
       .comm = "program",
       .end_ns = 900,
       .status = 0,
       .executions = {{.at_ns = 10, .path = "/launcher", .arguments = {"launcher"}},
                      {.at_ns = 110, .path = "/program", .arguments = {"program", "-x"}}},
       .calls = {{.name = "openat", .count = 2, .total_ns = 50},
                 {.name = "execve", .count = 2, .total_ns = 70}}},
      {.id = 2,
       .parent = 1,
       .pid = 101,
       .comm = "child",
       .start_ns = 300,
       .end_ns = 800,
       .status = 137,
       .calls = {{.name = "openat", .count = 1, .total_ns = 40}}}};
  trace.duration_ns = 1000;
  return trace;
}

TEST(StartupBreakdown, TimesCountFromTheProgramsStart) {
  const auto breakdown = to_breakdown(a_trace(), true);
  EXPECT_EQ(breakdown.probe, "startup");
  ASSERT_EQ(breakdown.processes.size(), 2U);
  EXPECT_EQ(breakdown.processes[0].exec_ns, 0);
  EXPECT_EQ(breakdown.processes[0].end_ns, 790);
  EXPECT_EQ(breakdown.processes[1].parent_pid, 100);
  EXPECT_EQ(breakdown.processes[1].start_ns, 190);
  EXPECT_EQ(breakdown.processes[1].exit_status, 137);
  EXPECT_EQ(to_breakdown(a_trace(), false).processes[0].end_ns, 890);
}

TEST(StartupBreakdown, EventsAreInOrderOfTimeWithoutTheLaunchers) {
  const auto breakdown = to_breakdown(a_trace(), true);
  std::vector<std::string> seen;
  seen.reserve(breakdown.events.size());
  for (const auto& event : breakdown.events)
    seen.push_back(std::to_string(event.at_ns) + " " + event.kind + " " + event.detail);
  EXPECT_THAT(seen, ::testing::ElementsAre("0 exec program -x", "190 fork child", "690 exit 137",
                                           "790 exit 0"));
}

TEST(StartupBreakdown, CostsAreSumsOverProcessesTheCostliestFirst) {
  const auto breakdown = to_breakdown(a_trace(), true);
  ASSERT_EQ(breakdown.costs.size(), 2U);
  EXPECT_EQ(breakdown.costs[0].name, "openat");
  EXPECT_EQ(breakdown.costs[0].count, 3U);
  EXPECT_EQ(breakdown.costs[0].total_ns, 90);
  EXPECT_EQ(breakdown.costs[1].name, "execve");
}

TEST(StartupBreakdown, SaysWhatWasLost) {
  auto trace = a_trace();
  trace.drops.events = 3;
  EXPECT_EQ(to_breakdown(trace, true).events.back().kind, "incomplete");
}

}  // namespace
}  // namespace strata::bench
