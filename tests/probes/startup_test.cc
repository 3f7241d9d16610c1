// The startup probe against the real kernel, with strace as the oracle for what a command does.

#include "probes/startup.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <string_view>

#include <gmock/gmock.h>

#include "probes/join.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"
#include "tests/support/temp_dir.h"

namespace strata::probes {
namespace {

using strata::testing::FailsWith;
using strata::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Nothing where the probe can run; elsewhere the reason, which is what the probe itself says.
std::optional<std::string> lacks_bpf() {
  static const auto probe = StartupProbe::open();
  return probe ? std::nullopt : std::optional(probe.error().what);
}

std::string payload() {
  return TREE_PAYLOAD;
}

StartupTrace trace_of(WatchedCommand command, const StartupOptions& options = {}) {
  auto probe = StartupProbe::open(options);
  EXPECT_THAT(probe, IsOk());
  if (!probe) return {};
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  command.stdio = {null, null, 2};
  auto trace = probe->run(command);
  ::close(null);
  EXPECT_THAT(trace, IsOk());
  return trace ? *std::move(trace) : StartupTrace{};
}

StartupTrace trace_of(std::vector<std::string> argv, const StartupOptions& options = {}) {
  return trace_of(WatchedCommand{.argv = std::move(argv)}, options);
}

struct Count {
  uint64_t calls = 0;
  uint64_t errors = 0;
  bool operator==(const Count&) const = default;
};
void PrintTo(const Count& count, std::ostream* os) {
  *os << count.calls << " calls, " << count.errors << " errors";
}
using Counts = std::map<std::string, Count>;

Counts counts_of(const StartupTrace& trace) {
  Counts counts;
  for (const auto& process : trace.processes) {
    for (const auto& sum : process.calls) {
      counts[sum.name].calls += sum.count;
      counts[sum.name].errors += sum.errors;
    }
  }
  return counts;
}

// Adds one line of strace's log:
//   123 openat(…) = -1 ENOENT (…)   123 wait4(… <unfinished ...>   123 <... wait4 resumed>…) = 7
void count_line(std::string_view line, Counts& counts) {
  constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz_0123456789";
  constexpr std::string_view kResumed = "<... ";
  line.remove_prefix(std::min(line.find_first_not_of("0123456789 "), line.size()));
  const bool resumed = line.starts_with(kResumed);
  if (resumed) line.remove_prefix(kResumed.size());
  const auto name = line.substr(0, line.find_first_not_of(kNameLetters));
  if (name.empty()) return;
  Count& count = counts[std::string(name)];
  if (!resumed) ++count.calls;
  const auto result = line.rfind(" = ");
  if (result != std::string_view::npos && line.substr(result).starts_with(" = -1 E"))
    ++count.errors;
}

Counts strace_counts(std::vector<std::string> argv) {
  const strata::testing::TempDir dir;
  const std::string log = dir / "log";
  // With the same streams as trace_of() gives: programs ask what their output is.
  argv.insert(argv.begin(), {"sh", "-c", "exec \"$@\" </dev/null >/dev/null", "sh", "strace", "-f",
                             "-qq", "-e", "signal=none", "-o", log});
  strata::testing::run(argv);
  Counts counts;
  std::ifstream in(log);
  for (std::string line; std::getline(in, line);) count_line(line, counts);
  return counts;
}

#define NEEDS_BPF() STRATA_NEEDS(lacks_bpf())

TEST(Startup, SeesForksExecsAndExits) {
  NEEDS_BPF();
  const auto trace = trace_of({"sh", "-c", "true & /bin/echo x; wait"});
  EXPECT_EQ(trace.end.status, 0);
  EXPECT_GT(trace.origin_ns, 0);
  EXPECT_FALSE(trace.drops.any());
  ASSERT_THAT(trace.processes, SizeIs(3));

  const auto& shell = trace.processes[0];
  EXPECT_EQ(shell.id, 1u);
  EXPECT_EQ(shell.parent, 0u);
  EXPECT_EQ(shell.start_ns, 0);
  ASSERT_THAT(shell.executions, SizeIs(1));
  EXPECT_THAT(shell.executions[0].arguments, ElementsAre("sh", "-c", "true & /bin/echo x; wait"));
  EXPECT_GT(shell.executions[0].at_ns, 0);

  const auto& background = trace.processes[1];  // `true` is built in
  EXPECT_EQ(background.parent, 1u);
  EXPECT_THAT(background.executions, IsEmpty());
  EXPECT_EQ(background.status, 0);

  const auto& echo = trace.processes[2];
  EXPECT_EQ(echo.parent, 1u);
  EXPECT_EQ(echo.comm, "echo");
  ASSERT_THAT(echo.executions, SizeIs(1));
  EXPECT_EQ(echo.executions[0].path, "/bin/echo");
  EXPECT_THAT(echo.executions[0].arguments, ElementsAre("/bin/echo", "x"));
  EXPECT_LT(echo.start_ns, echo.executions[0].at_ns);
  EXPECT_LT(echo.executions[0].at_ns, *echo.end_ns);
  EXPECT_LE(*echo.end_ns, *shell.end_ns);
  EXPECT_EQ(trace.duration_ns, *shell.end_ns);
}

TEST(Startup, CountsLikeStrace) {
  NEEDS_BPF();
  STRATA_NEEDS_PROGRAM("strace");
  const std::vector<std::string> command{"sh", "-c", "true & /bin/echo x; wait"};
  const auto seen = counts_of(trace_of(command));
  const auto expected = strace_counts(command);
  // The rest of a shell's calls depends on which child ends first.
  for (const char* name : {"execve", "clone", "vfork", "exit_group", "write", "openat", "mmap"}) {
    EXPECT_EQ(seen.contains(name), expected.contains(name)) << name;
    if (!seen.contains(name) || !expected.contains(name)) continue;
    EXPECT_EQ(seen.at(name), expected.at(name)) << name;
  }
}

TEST(Startup, CountsEveryCallOfASingleThreadLikeStrace) {
  NEEDS_BPF();
  STRATA_NEEDS_PROGRAM("strace");
  for (const auto& command : std::vector<std::vector<std::string>>{
           {"/bin/echo", "x"}, {"ls", "-l", "/etc"}, {"cat", "/etc/passwd", "/nonexistent"}}) {
    SCOPED_TRACE(command[0]);
    EXPECT_EQ(counts_of(trace_of(command)), strace_counts(command));
  }
}

TEST(Startup, CountsWhatIsKnownToHappen) {
  NEEDS_BPF();
  const auto trace = trace_of({payload(), "calls"}, {.keep_calls = true});
  const auto counts = counts_of(trace);
  EXPECT_EQ(counts.at("getppid"), (Count{100, 0}));
  EXPECT_EQ(counts.at("write"), (Count{7, 0}));
  EXPECT_EQ(counts.at("close").errors, 5u);
  EXPECT_EQ(counts.at("execve"), (Count{1, 0}));
  EXPECT_EQ(counts.at("exit_group"), (Count{1, 0}));

  // Every call that is in a sum is also there by itself, and the two agree.
  std::map<std::string, CallSum> from_calls;
  int64_t previous = 0;
  for (const auto& call : trace.calls) {
    EXPECT_GE(call.at_ns, previous);
    previous = call.at_ns;
    CallSum& sum = from_calls[syscall_name(call.number)];
    sum.name = syscall_name(call.number);
    ++sum.count;
    const bool failed = call.result.value_or(0) < 0 && *call.result >= -4095;
    sum.errors += failed ? 1 : 0;
    sum.total_ns += static_cast<uint64_t>(call.duration_ns);
    sum.max_ns = std::max(sum.max_ns, static_cast<uint64_t>(call.duration_ns));
  }
  ASSERT_EQ(from_calls.size(), trace.processes[0].calls.size());
  for (const auto& sum : trace.processes[0].calls) EXPECT_EQ(from_calls.at(sum.name), sum);
  EXPECT_EQ(trace.calls.front().at_ns, 0);
  EXPECT_EQ(syscall_name(trace.calls.front().number), "execve");
  EXPECT_EQ(syscall_name(trace.calls.back().number), "exit_group");
  EXPECT_EQ(trace.calls.back().result, std::nullopt);
}

TEST(Startup, KeepsCallsOnlyWhenAskedTo) {
  NEEDS_BPF();
  EXPECT_THAT(trace_of({"true"}).calls, IsEmpty());
}

TEST(Startup, ReportsStatuses) {
  NEEDS_BPF();
  EXPECT_EQ(trace_of({"sh", "-c", "exit 42"}).end.status, 42);
  const auto killed = trace_of({payload(), "die", std::to_string(SIGKILL)});
  EXPECT_EQ(killed.end.status, 128 + SIGKILL);
  EXPECT_EQ(killed.processes.at(0).status, 128 + SIGKILL);
  const auto aborted = trace_of({payload(), "die", std::to_string(SIGTERM)});
  EXPECT_EQ(aborted.processes.at(0).status, 128 + SIGTERM);
  const auto child =
      trace_of({"sh", "-c", "sh -c 'exit 9'; sh -c 'kill -KILL $$' 2>/dev/null; exit 1"});
  EXPECT_EQ(child.end.status, 1);
  EXPECT_EQ(child.processes.at(1).status, 9);
  EXPECT_EQ(child.processes.at(2).status, 128 + SIGKILL);
}

TEST(Startup, FollowsDaemonsWhoseParentIsGone) {
  NEEDS_BPF();
  WatchedCommand command{.argv = {payload(), "daemon", "150"}, .linger = std::nullopt};
  const auto trace = trace_of(command);
  EXPECT_EQ(trace.end.status, 0);
  ASSERT_THAT(trace.processes, SizeIs(3));
  const auto& daemon = trace.processes[2];
  EXPECT_EQ(daemon.parent, 2u);
  EXPECT_EQ(daemon.status, 7);
  EXPECT_GT(*daemon.end_ns, 150'000'000);
  EXPECT_LT(*trace.processes[0].end_ns, 150'000'000);
}

TEST(Startup, SaysWhatRunsOn) {
  NEEDS_BPF();
  WatchedCommand command{.argv = {payload(), "daemon", "1500"},
                         .linger = std::chrono::milliseconds(300)};
  const auto trace = trace_of(command);
  ASSERT_THAT(trace.processes, SizeIs(3));
  EXPECT_EQ(trace.processes[2].end_ns, std::nullopt);
  EXPECT_EQ(trace.processes[2].status, std::nullopt);
}

TEST(Startup, StopsWhenToldTo) {
  NEEDS_BPF();
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  ASSERT_EQ(::write(fds[1], "x", 1), 1);
  WatchedCommand command{
      .argv = {payload(), "daemon", "1500"}, .linger = std::nullopt, .stop_fd = fds[0]};
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(trace_of(command).processes.back().end_ns, std::nullopt);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(1400));
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(Startup, CountsThreadsToTheirProcess) {
  NEEDS_BPF();
  const auto trace = trace_of({payload(), "threads", "20"});
  ASSERT_THAT(trace.processes, SizeIs(1));
  EXPECT_EQ(trace.processes[0].threads, 21u);
  EXPECT_EQ(counts_of(trace).at("getppid"), (Count{200, 0}));
  EXPECT_EQ(counts_of(trace).at("exit"), (Count{20, 0}));
}

TEST(Startup, AnExecOfAnotherThreadStaysOneProcess) {
  NEEDS_BPF();
  const auto trace = trace_of({payload(), "thread-exec"});
  ASSERT_THAT(trace.processes, SizeIs(1));
  const auto& process = trace.processes[0];
  ASSERT_THAT(process.executions, SizeIs(2));
  EXPECT_EQ(process.executions[1].path, "/bin/true");
  EXPECT_EQ(process.comm, "true");
  EXPECT_EQ(process.status, 0);
  EXPECT_TRUE(process.end_ns.has_value());
  EXPECT_EQ(counts_of(trace).at("execve"), (Count{2, 0}));
}

TEST(Startup, LosesNoneOfAHundredShortProcesses) {
  NEEDS_BPF();
  const auto trace = trace_of({payload(), "burst", "100"}, {.keep_calls = true});
  EXPECT_FALSE(trace.drops.any());
  ASSERT_THAT(trace.processes, SizeIs(101));
  for (const auto& process : trace.processes) {
    EXPECT_THAT(process.executions, SizeIs(1)) << process.id;
    EXPECT_TRUE(process.end_ns.has_value()) << process.id;
    EXPECT_EQ(process.status, 0) << process.id;
  }
}

TEST(Startup, KnowsWhoForkedWhom) {
  NEEDS_BPF();
  const auto trace = trace_of({payload(), "nested", "10"});
  ASSERT_THAT(trace.processes, SizeIs(11));
  for (size_t i = 1; i < trace.processes.size(); ++i)
    EXPECT_EQ(trace.processes[i].parent, trace.processes[i - 1].id);
}

TEST(Startup, CountsWhatItCouldNotKeep) {
  NEEDS_BPF();
  auto probe = StartupProbe::open(
      {.keep_calls = true, .event_buffer_bytes = 4096, .call_buffer_bytes = 4096});
  ASSERT_THAT(probe, IsOk());
  // Nobody reads until the end, so that the buffers surely overflow.
  ASSERT_THAT(probe->begin(), IsOk());
  const pid_t child = ::fork();
  if (child == 0) {
    if (join_tree(probe->join_fd()) != 0) ::_exit(1);
    const std::string program = payload();
    ::execl(program.c_str(), program.c_str(), "burst", "50", nullptr);
    ::_exit(2);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  const auto trace = probe->end();
  ASSERT_THAT(trace, IsOk());
  // 51 births, 51 execs, 51 exits, whether they arrived or not.
  uint64_t events = trace->drops.events;
  for (const auto& process : trace->processes)
    events += (process.comm.empty() ? 0 : 1) + process.executions.size() + (process.end_ns ? 1 : 0);
  EXPECT_GT(trace->drops.events, 50u);
  EXPECT_LE(trace->drops.events, 153u);
  EXPECT_LE(events, 153u);
  EXPECT_GT(trace->drops.calls, 100u);
  // What was dropped one by one is in the sums.
  EXPECT_EQ(trace->drops.call_sums, 0u);
  EXPECT_EQ(counts_of(*trace).at("exit_group"), (Count{51, 0}));
}

TEST(Startup, DropsBeyondTheLimitAreCountedToo) {
  NEEDS_BPF();
  const auto trace = trace_of({payload(), "calls"}, {.keep_calls = true, .call_limit = 10});
  EXPECT_THAT(trace.calls, SizeIs(10));
  EXPECT_GT(trace.drops.calls, 100u);
}

TEST(Startup, RunsOneCommandAfterAnother) {
  NEEDS_BPF();
  auto probe = StartupProbe::open();
  ASSERT_THAT(probe, IsOk());
  const WatchedCommand daemon{.argv = {payload(), "daemon", "300"},
                              .linger = std::chrono::milliseconds(0)};
  ASSERT_THAT(probe->run(daemon), IsOk());
  // The daemon of the first command is no business of the second.
  for (int i = 0; i < 3; ++i) {
    const auto trace = probe->run({.argv = {payload(), "calls"}});
    ASSERT_THAT(trace, IsOk());
    ASSERT_THAT(trace->processes, SizeIs(1));
    EXPECT_EQ(trace->processes[0].id, 1u);
    EXPECT_EQ(counts_of(*trace).at("getppid"), (Count{100, 0}));
  }
}

TEST(Startup, TwoProbesWatchAtOnce) {
  NEEDS_BPF();
  auto outer = StartupProbe::open();
  auto inner = StartupProbe::open();
  ASSERT_THAT(outer, IsOk());
  ASSERT_THAT(inner, IsOk());
  ASSERT_THAT(outer->begin(), IsOk());
  const auto seen = inner->run({.argv = {payload(), "calls"}});
  ASSERT_THAT(seen, IsOk());
  EXPECT_EQ(counts_of(*seen).at("getppid"), (Count{100, 0}));
  const auto nothing = outer->end();  // whose tree nobody joined
  ASSERT_THAT(nothing, IsOk());
  EXPECT_THAT(nothing->processes, IsEmpty());
}

TEST(Startup, ACommandThatCannotBeExecutedIsNoError) {
  NEEDS_BPF();
  const auto missing = trace_of({"no-such-program-anywhere"});
  EXPECT_EQ(missing.end.start_error, ENOENT);
  EXPECT_EQ(missing.end.status, 127);
  EXPECT_THAT(missing.processes, IsEmpty());
  const auto refused = trace_of({"/etc/passwd"});
  EXPECT_EQ(refused.end.start_error, EACCES);
  EXPECT_EQ(refused.end.status, 126);
}

TEST(Startup, GivesTheCommandWhatItAskedFor) {
  NEEDS_BPF();
  const strata::testing::TempDir dir;
  auto probe = StartupProbe::open();
  ASSERT_THAT(probe, IsOk());
  const int out = ::open((dir / "out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  const int in = ::open(dir.write("in", "text\n").c_str(), O_RDONLY | O_CLOEXEC);
  const auto trace = probe->run({.argv = {"sh", "-c", "pwd; echo $STRATA_WORD; cat; echo err >&2"},
                                 .env = {"STRATA_WORD=word"},
                                 .directory = "/usr",
                                 .stdio = {in, out, out}});
  ASSERT_THAT(trace, IsOk());
  ::close(in);
  ::close(out);
  std::ifstream read(dir / "out");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(read), {}), "/usr\nword\ntext\nerr\n");
}

TEST(Startup, GivesTheCommandOnlyTheEnvironmentThatWasNamed) {
  NEEDS_BPF();
  const strata::testing::TempDir dir;
  auto probe = StartupProbe::open();
  ASSERT_THAT(probe, IsOk());
  const int out = ::open((dir / "out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_THAT(
      probe->run(
          {.argv = {"env"}, .env = {"STRATA_WORD=word"}, .only_env = true, .stdio = {0, out, out}}),
      IsOk());
  ::close(out);
  std::ifstream read(dir / "out");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(read), {}), "STRATA_WORD=word\n");
}

TEST(Startup, FailsWhereTheDirectoryIsMissing) {
  NEEDS_BPF();
  auto probe = StartupProbe::open();
  ASSERT_THAT(probe, IsOk());
  EXPECT_THAT(probe->run({.argv = {"true"}, .directory = "/nonexistent"}),
              FailsWith(ENOENT, "enter its working directory"));
  // And is of use again.
  EXPECT_THAT(probe->run({.argv = {"true"}}), IsOk());
}

TEST(Startup, FollowsIntoPidNamespaces) {
  NEEDS_BPF();
  STRATA_NEEDS_ROOT();
  const auto trace =
      trace_of({"unshare", "--pid", "--mount", "--fork", "--mount-proc", payload(), "burst", "3"});
  EXPECT_EQ(trace.end.status, 0);
  ASSERT_THAT(trace.processes, SizeIs(5));
  EXPECT_EQ(trace.processes[0].own_pid, trace.processes[0].pid);
  EXPECT_EQ(trace.processes[1].own_pid, 1);
  EXPECT_GT(trace.processes[1].pid, 1);
  EXPECT_EQ(trace.processes[2].own_pid, 2);
}

}  // namespace
}  // namespace strata::probes
