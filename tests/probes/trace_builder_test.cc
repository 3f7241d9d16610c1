#include "probes/trace_builder.h"

#include <sys/syscall.h>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace strata::probes {
namespace {

using ::testing::ElementsAre;

EventHead at(uint64_t time_ns, uint32_t process, pid_t pid = 100) {
  return {.process = process, .time_ns = time_ns, .pid = pid, .own_pid = pid};
}

StartupTrace small_trace() {
  TraceBuilder builder(10);
  builder.add(Born{at(1000, 1), Birth::kCommand, 0, "strata-probe"});
  builder.add(Executed{at(1500, 1), "sh", "/bin/sh", {"sh", "-c", "x"}, false});
  builder.add(Born{at(2000, 2, 101), Birth::kProcess, 1, "sh"});
  builder.add(Exited{at(3000, 2, 101), 3, "sh"});
  builder.add(Exited{at(4000, 1), 0, "sh"});
  return builder.build({});
}

TEST(TraceBuilder, CountsTimeFromTheCommandsStart) {
  const auto trace = small_trace();
  EXPECT_EQ(trace.origin_ns, 1000);
  EXPECT_EQ(trace.duration_ns, 3000);
  ASSERT_EQ(trace.processes.size(), 2u);
  const auto& command = trace.processes[0];
  EXPECT_EQ(command.start_ns, 0);
  EXPECT_EQ(command.end_ns, 3000);
  EXPECT_EQ(command.status, 0);
  EXPECT_EQ(command.comm, "sh");
  EXPECT_THAT(command.executions, ElementsAre(Execution{500, "/bin/sh", {"sh", "-c", "x"}, false}));
  const auto& child = trace.processes[1];
  EXPECT_EQ(child.parent, 1u);
  EXPECT_EQ(child.start_ns, 1000);
  EXPECT_EQ(child.end_ns, 2000);
  EXPECT_EQ(child.status, 3);
}

TEST(TraceBuilder, TakesEventsInAnyOrder) {
  TraceBuilder builder(10);
  builder.add(Exited{at(4000, 1), 0, "last"});
  builder.add(Executed{at(3000, 1), "second", "/second", {}, false});
  builder.add(Executed{at(2000, 1), "first", "/first", {}, false});
  builder.add(Born{at(1000, 1), Birth::kCommand, 0, "zeroth"});
  const auto trace = builder.build({});
  ASSERT_EQ(trace.processes.size(), 1u);
  EXPECT_EQ(trace.processes[0].comm, "last");
  EXPECT_EQ(trace.processes[0].executions[0].path, "/first");
  EXPECT_EQ(trace.processes[0].executions[1].path, "/second");
}

TEST(TraceBuilder, AProcessWhoseBirthWasLostStillHasAPlace) {
  TraceBuilder builder(10);
  builder.add(Born{at(1000, 1), Birth::kCommand, 0, "sh"});
  builder.add(Executed{at(1800, 7, 107), "ls", "/bin/ls", {"ls"}, false});
  builder.add(RawCallSum{.process = 8, .number = SYS_close, .count = 1, .total_ns = 5});
  const auto trace = builder.build({.events = 2});
  ASSERT_EQ(trace.processes.size(), 3u);
  EXPECT_EQ(trace.processes[1].id, 7u);
  EXPECT_EQ(trace.processes[1].start_ns, 800);
  EXPECT_EQ(trace.processes[1].end_ns, std::nullopt);
  EXPECT_EQ(trace.processes[2].id, 8u);
  EXPECT_EQ(trace.processes[2].start_ns, 0);
  EXPECT_EQ(trace.drops.events, 2u);
}

TEST(TraceBuilder, WithoutTheCommandsStartTimeBeginsWithWhatIsKnown) {
  TraceBuilder builder(10);
  builder.add(Exited{at(5000, 2), 0, "b"});
  builder.add(Exited{at(4000, 1), 0, "a"});
  const auto trace = builder.build({});
  EXPECT_EQ(trace.origin_ns, 4000);
  EXPECT_EQ(trace.processes[1].end_ns, 1000);
}

TEST(TraceBuilder, AnEmptyOneIsAnEmptyTrace) {
  const auto trace = TraceBuilder(10).build({});
  EXPECT_TRUE(trace.processes.empty());
  EXPECT_EQ(trace.duration_ns, 0);
}

TEST(TraceBuilder, CountsThreads) {
  TraceBuilder builder(10);
  builder.add(Born{at(1000, 1), Birth::kCommand, 0, "a"});
  builder.add(Born{at(1100, 1, 101), Birth::kThread, 1, "a"});
  builder.add(Born{at(1200, 1, 102), Birth::kThread, 1, "a"});
  const auto trace = builder.build({});
  ASSERT_EQ(trace.processes.size(), 1u);
  EXPECT_EQ(trace.processes[0].threads, 3u);
  EXPECT_EQ(trace.processes[0].pid, 100);
}

TEST(TraceBuilder, NamesCallsAndPutsTheCostliestFirst) {
  TraceBuilder builder(10);
  builder.add(RawCallSum{
      .process = 1, .number = SYS_close, .count = 9, .errors = 1, .total_ns = 10, .max_ns = 4});
  builder.add(RawCallSum{.process = 1, .number = SYS_execve, .count = 1, .total_ns = 500});
  builder.add(RawCallSum{.process = 1, .number = 99'999, .count = 1, .total_ns = 1});
  builder.add(RawCallSum{.process = 1, .number = 0x80000004u, .count = 1, .total_ns = 0});
  const auto trace = builder.build({});
  const auto& calls = trace.processes[0].calls;
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_EQ(calls[0].name, "execve");
  EXPECT_EQ(calls[1],
            (CallSum{.name = "close", .count = 9, .errors = 1, .total_ns = 10, .max_ns = 4}));
  EXPECT_EQ(calls[2].name, "syscall_99999");
  EXPECT_EQ(calls[3].name, "compat_syscall_4");
}

TEST(TraceBuilder, KeepsNoMoreCallsThanAskedForAndSaysSo) {
  TraceBuilder builder(2);
  builder.add(Born{at(1000, 1), Birth::kCommand, 0, "a"});
  for (uint64_t i = 0; i < 5; ++i) {
    builder.add(Called{.head = at(3000 - 100 * i, 1), .duration_ns = 1, .number = 1, .result = 0});
  }
  const auto trace = builder.build({.calls = 10});
  ASSERT_EQ(trace.calls.size(), 2u);
  EXPECT_LT(trace.calls[0].at_ns, trace.calls[1].at_ns);
  EXPECT_EQ(trace.drops.calls, 13u);
}

TEST(ToJson, HoldsAllOfTheTrace) {
  auto trace = small_trace();
  trace.argv = {"sh", "-c", "x"};
  trace.calls.push_back({.process = 1, .thread = 100, .at_ns = 7, .duration_ns = 8, .number = 1});
  const auto json = nlohmann::json::parse(to_json(trace));
  EXPECT_EQ(json["schema"], "strata-startup-trace");
  EXPECT_EQ(json["schema_version"], kStartupTraceVersion);
  EXPECT_EQ(json["command"], (std::vector<std::string>{"sh", "-c", "x"}));
  EXPECT_EQ(json["duration_ns"], 3000);
  EXPECT_EQ(json["processes"][1]["parent"], 1);
  EXPECT_EQ(json["processes"][1]["status"], 3);
  EXPECT_EQ(json["processes"][0]["executions"][0]["arguments"][2], "x");
  EXPECT_EQ(json["calls"][0]["name"], syscall_name(1));
  EXPECT_TRUE(json["calls"][0]["result"].is_null());
  EXPECT_EQ(json["drops"]["events"], 0);
}

TEST(ToJson, SurvivesBytesThatAreNoText) {
  auto trace = small_trace();
  trace.processes[0].comm = "\xff\xfe";
  trace.processes[0].executions[0].arguments = {"\xc3", std::string("a\0b", 3)};
  const auto json = nlohmann::json::parse(to_json(trace));
  EXPECT_EQ(json["processes"][0]["comm"], "\ufffd\ufffd");
}

TEST(SyscallName, KnowsThisMachinesCalls) {
  EXPECT_EQ(syscall_name(SYS_execve), "execve");
  EXPECT_EQ(syscall_name(SYS_openat), "openat");
  EXPECT_EQ(syscall_name(SYS_clone3), "clone3");
  EXPECT_EQ(syscall_name(SYS_read), "read");
}

}  // namespace
}  // namespace strata::probes
