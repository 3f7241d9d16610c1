// What many containers of one runtime cost: starts with ever more of them running, what the runtime
// itself keeps for each, and starts from several sides at once.
//
//   strata-bench-density CONTAINERS RUNS -- START… -- RUN… -- REMOVE…
//
// START starts a container in the background, RUN runs one to its end, REMOVE removes the one of
// START; in their arguments {} stands for a number that is the container's own. Writes "metric NAME
// VALUE" lines (bench/reported_metrics.h):
//
//   start_first_ns, start_last_ns  START, from its spawn to its exit: medians of the first and of
//                                  the last starts
//   run_at_<n>_ns                  RUN likewise, with <n> containers running
//   own_private_bytes              private memory of the runtime's own processes, a running
//                                  container
//   system_bytes                   how much less memory the machine had, a running container
//   remove_ns                      REMOVE: the median
//   run_<p>_per_second             RUNs by <p> loops at once
//   run_<p>_p95_ns                 how long 95 of 100 of those took at most
//   run_<p>_cpu_ns                 CPU time of each
//
// CONTAINERS may be 0: then only the last group is measured, with RUNS of each.
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Argv = std::vector<std::string>;
using Times = std::vector<double>;

constexpr size_t kAFew = 20;  // starts of which a median is taken
constexpr std::array kLoops{1, 2, 32};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "strata-bench-density: %s\n", why.c_str());
  std::exit(1);
}

void report(const std::string& name, double value) {
  std::printf("metric %s %.1f\n", name.c_str(), value);
}

double ns_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

double quantile(Times times, double share) {
  const auto at = static_cast<size_t>(share * static_cast<double>(times.size() - 1));
  std::ranges::nth_element(times, times.begin() + static_cast<Times::difference_type>(at));
  return times[at];
}

pid_t spawn(const Argv& words, size_t number) {
  Argv own = words;
  for (auto& word : own)
    for (auto at = word.find("{}"); at != std::string::npos; at = word.find("{}"))
      word.replace(at, 2, std::to_string(number));
  std::vector<char*> argv;
  argv.reserve(own.size() + 1);
  for (auto& word : own) argv.push_back(word.data());
  argv.push_back(nullptr);
  // A container in the background keeps the streams: none of them may be what we report on.
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, argv[0], &files, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  if (error != 0) give_up("start " + own[0] + " failed");
  return pid;
}

void expect_success(int status, const Argv& words) {
  if (status != 0)
    give_up(words[0] + " " + words[1] + " … ended with wait status " + std::to_string(status));
}

double time_one(const Argv& words, size_t number) {
  const auto start = Clock::now();
  const pid_t pid = spawn(words, number);
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) give_up("waitpid failed");
  const double time = ns_since(start);
  expect_success(status, words);
  return time;
}

// --- What is there while they run ---

double available_memory() {
  std::ifstream in("/proc/meminfo");
  for (std::string word; in >> word;) {
    double kilobytes = 0;
    if (word == "MemAvailable:" && in >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

double private_memory(const std::string& process) {
  std::ifstream in(process + "/smaps_rollup");
  double sum = 0;
  for (std::string word; in >> word;) {
    double kilobytes = 0;
    if (word.starts_with("Private_") && in >> kilobytes) sum += kilobytes * 1024;
  }
  return sum;
}

// Descendants of ours that are not in a container: its processes have another pid namespace.
double own_processes_memory() {
  std::error_code ec;
  const auto own = std::filesystem::read_symlink("/proc/self/ns/pid", ec);
  std::map<pid_t, pid_t> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    std::ifstream in(entry.path() / "stat");
    std::string line;
    if (pid <= 0 || !std::getline(in, line)) continue;
    const auto end = line.rfind(')');  // "123 (name) S 45 …"
    if (end != std::string::npos) parents[pid] = std::atoi(line.c_str() + end + 4);
  }
  double sum = 0;
  for (const auto& [pid, parent] : parents) {
    pid_t ancestor = parent;
    while (ancestor > 1 && ancestor != ::getpid()) ancestor = parents[ancestor];
    const std::string process = "/proc/" + std::to_string(pid);
    if (ancestor == ::getpid() && std::filesystem::read_symlink(process + "/ns/pid", ec) == own)
      sum += private_memory(process);
  }
  return sum;
}

void time_runs_with(size_t running, const Argv& run, size_t first_number) {
  Times times;
  for (size_t i = 0; i < kAFew; ++i) times.push_back(time_one(run, first_number + i));
  report("run_at_" + std::to_string(running) + "_ns", quantile(times, 0.5));
}

void measure_crowd(size_t containers, const Argv& start, const Argv& run, const Argv& remove) {
  const double memory_before = available_memory();
  Times starts;
  for (size_t i = 0; i < containers; ++i) {
    if (i == 0 || i == containers / 10) time_runs_with(i, run, containers);
    starts.push_back(time_one(start, i));
  }
  time_runs_with(containers, run, containers);
  const auto few = static_cast<Times::difference_type>(std::min(kAFew, containers));
  report("start_first_ns", quantile({starts.begin(), starts.begin() + few}, 0.5));
  report("start_last_ns", quantile({starts.end() - few, starts.end()}, 0.5));
  const auto count = static_cast<double>(containers);
  report("own_private_bytes", own_processes_memory() / count);
  report("system_bytes", (memory_before - available_memory()) / count);
  Times removals;
  for (size_t i = 0; i < containers; ++i) removals.push_back(time_one(remove, i));
  report("remove_ns", quantile(removals, 0.5));
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

// --- Many at once ---

double cpu_of_children() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  const auto ns = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_usec) * 1e3;
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

// Always `loops` of them at once, until `runs` are done. A number is used by one at a time.
void measure_parallel(int loops, size_t runs, const Argv& run) {
  struct Started {
    size_t number;
    Clock::time_point at;
  };
  std::map<pid_t, Started> under_way;
  Times times;
  const double cpu = cpu_of_children();
  const auto start = Clock::now();
  const auto start_one = [&](size_t number) {
    const auto now = Clock::now();
    under_way[spawn(run, number)] = {number, now};
  };
  for (size_t i = 0; i < static_cast<size_t>(loops); ++i) start_one(i);
  while (!under_way.empty()) {
    int status = 0;
    const auto ended = under_way.find(::waitpid(-1, &status, 0));
    if (ended == under_way.end()) continue;  // one that a container left behind
    times.push_back(ns_since(ended->second.at));
    const size_t number = ended->second.number;
    under_way.erase(ended);
    expect_success(status, run);
    if (times.size() + under_way.size() < runs) start_one(number);
  }
  const double seconds = ns_since(start) / 1e9;
  const auto count = static_cast<double>(times.size());
  const std::string name = "run_" + std::to_string(loops);
  report(name + "_per_second", count / seconds);
  report(name + "_p95_ns", quantile(times, 0.95));
  report(name + "_cpu_ns", (cpu_of_children() - cpu) / count);
}

std::vector<Argv> commands(int argc, char** argv) {
  std::vector<Argv> found;
  for (int i = 3; i < argc; ++i) {
    if (std::string(argv[i]) == "--")
      found.emplace_back();
    else if (!found.empty())
      found.back().emplace_back(argv[i]);
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  const auto words = commands(argc, argv);
  if (words.size() != 3 || std::ranges::any_of(words, [](const Argv& w) { return w.size() < 2; })) {
    std::fprintf(stderr,
                 "usage: strata-bench-density CONTAINERS RUNS -- START… -- RUN… -- REMOVE…\n");
    return 2;
  }
  // What detached containers leave as theirs becomes ours.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const auto containers = static_cast<size_t>(std::atol(argv[1]));
  if (containers > 0) measure_crowd(containers, words[0], words[1], words[2]);
  for (const int loops : kLoops)
    measure_parallel(loops, static_cast<size_t>(std::atol(argv[2])), words[1]);
  return 0;
}
