#include "probes/timeline.h"

#include <sys/syscall.h>

#include <sstream>

#include <gmock/gmock.h>

#include "probes/call_table.h"
#include "probes/text.h"
#include "probes/timeline_bar.h"

namespace strata::probes {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto kAbsent = Activity::kAbsent;
constexpr auto kRunning = Activity::kRunning;
constexpr auto kCalling = Activity::kCalling;
constexpr auto kWaiting = Activity::kWaiting;

TracedProcess process(uint32_t id, uint32_t parent, int64_t start_ns, int64_t end_ns) {
  return {.id = id,
          .parent = parent,
          .pid = static_cast<pid_t>(100 + id),
          .own_pid = static_cast<pid_t>(100 + id),
          .comm = "p" + std::to_string(id),
          .start_ns = start_ns,
          .end_ns = end_ns,
          .status = 0};
}

Call call(uint32_t number, int64_t at_ns, int64_t duration_ns, pid_t thread = 101) {
  return {.process = 1,
          .thread = thread,
          .at_ns = at_ns,
          .duration_ns = duration_ns,
          .number = number,
          .result = 0};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Activities, ShowThePrevailingOne) {
  const std::vector<Call> calls{call(SYS_openat, 200, 100),       // 2
                                call(SYS_wait4, 310, 190),        // 3, 4
                                call(SYS_openat, 500, 30),        // 5: too little
                                call(SYS_openat, 600, 30, 999)};  // another thread's
  EXPECT_THAT(activities(process(1, 0, 100, 800), calls, 1000, 10),
              ElementsAre(kAbsent, kRunning, kCalling, kWaiting, kWaiting, kRunning, kRunning,
                          kRunning, kRunning, kAbsent));
}

TEST(Activities, TheShortestLifeTakesACell) {
  EXPECT_THAT(activities(process(1, 0, 500, 501), {}, 1000, 4),
              ElementsAre(kAbsent, kAbsent, kRunning, kAbsent));
  EXPECT_THAT(activities(process(1, 0, 1000, 1000), {}, 1000, 2), ElementsAre(kAbsent, kRunning));
  EXPECT_THAT(activities(process(1, 0, 0, 0), {}, 0, 2), ElementsAre(kRunning, kAbsent));
}

TEST(Activities, WhoeverRunsOnReachesTheEnd) {
  auto daemon = process(1, 0, 500, 0);
  daemon.end_ns.reset();
  EXPECT_THAT(activities(daemon, {}, 1000, 4), ElementsAre(kAbsent, kAbsent, kRunning, kRunning));
}

TEST(CallTable, AddsUpAllProcesses) {
  StartupTrace trace;
  trace.processes = {process(1, 0, 0, 10), process(2, 1, 0, 10)};
  trace.processes[0].calls = {{"mmap", 2, 0, 100, 60}, {"close", 1, 1, 5, 5}};
  trace.processes[1].calls = {{"close", 3, 0, 300, 200}};
  EXPECT_THAT(total_calls(trace),
              ElementsAre(CallSum{"close", 4, 1, 305, 200}, CallSum{"mmap", 2, 0, 100, 60}));
}

StartupTrace tree() {
  StartupTrace trace;
  trace.argv = {"sh", "-c", "work"};
  trace.duration_ns = 2'000'000;
  trace.processes = {process(1, 0, 0, 2'000'000), process(2, 1, 100'000, 900'000),
                     process(3, 2, 200'000, 800'000), process(4, 1, 1'000'000, 1'500'000)};
  trace.processes[0].executions = {{.at_ns = 50'000, .path = "/bin/sh", .arguments = trace.argv}};
  trace.processes[0].calls = {{"wait4", 2, 0, 1'000'000, 600'000}, {"mmap", 9, 1, 50'000, 9'000}};
  trace.processes[3].status = 137;
  return trace;
}

TEST(Timeline, DrawsTheTree) {
  const auto lines = lines_of(draw_timeline(tree(), {.width = 100}));
  ASSERT_GT(lines.size(), 9u);
  EXPECT_EQ(lines[0], "  sh -c work");
  EXPECT_THAT(lines[1], HasSubstr("exit 0 after 2.00 ms · 4 processes · 1 exec · 11 system calls"));
  EXPECT_THAT(lines[4], HasSubstr("  101       0      50   2,000  sh -c work"));
  EXPECT_THAT(lines[5], HasSubstr("wait4 ×2 1.00 ms · mmap ×9 50.0 µs"));
  EXPECT_THAT(lines[6], HasSubstr("100       –     900  ├─ (p2)"));
  EXPECT_THAT(lines[7], HasSubstr("│  └─ (p3)"));
  EXPECT_THAT(lines[8], HasSubstr("└─ (p4)"));
  EXPECT_THAT(lines[8], HasSubstr("✖"));
  EXPECT_THAT(lines[8], HasSubstr("KILL"));
}

TEST(Timeline, KeepsToItsWidth) {
  auto trace = tree();
  trace.processes[0].executions[0].arguments = {std::string(500, 'x')};
  for (const size_t width : {80, 100, 160, 300}) {
    for (const auto& line : lines_of(draw_timeline(trace, {.width = width})))
      EXPECT_LE(columns_of(line), width) << line;
  }
}

TEST(Timeline, ShowsAsManyProcessesAsAskedFor) {
  EXPECT_THAT(draw_timeline(tree(), {.process_limit = 3}), HasSubstr("… 1 more process"));
  EXPECT_THAT(draw_timeline(tree(), {.process_limit = 0}), Not(HasSubstr("more process")));
}

TEST(Timeline, LetsNoStrangersControlCharactersThrough) {
  auto trace = tree();
  trace.argv = {"\033]0;title\a"};
  trace.processes[0].executions[0].arguments = {"\033[2J"};
  trace.processes[1].comm = "\033[31m";
  EXPECT_THAT(draw_timeline(trace, {}), Not(HasSubstr("\033")));
}

TEST(Timeline, SaysWhatIsMissing) {
  auto trace = tree();
  EXPECT_THAT(draw_timeline(trace, {}), Not(HasSubstr("incomplete")));
  trace.drops = {.events = 2, .calls = 1};
  const auto text = draw_timeline(trace, {});
  EXPECT_THAT(text, HasSubstr("incomplete: 2 fork, exec or exit events lost"));
  EXPECT_THAT(text, HasSubstr("incomplete: 1 single call lost"));
}

TEST(Timeline, DrawsProcessesWithoutAPlaceInTheTree) {
  auto trace = tree();
  trace.processes[1].parent = 77;                     // its birth was lost
  trace.processes[2].parent = trace.processes[2].id;  // nonsense must not hang it
  EXPECT_THAT(draw_timeline(trace, {}), HasSubstr("(p3)"));
  EXPECT_FALSE(draw_timeline({}, {}).empty());
}

}  // namespace
}  // namespace strata::probes
