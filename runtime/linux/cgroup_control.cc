// What is done to a cgroup while it lives: kill, freeze, count.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "runtime/linux/cgroup.h"
#include "runtime/linux/cgroup_files.h"

namespace strata::linux {
namespace {

using namespace std::chrono_literals;
using Directory = Cgroup::Directory;

// A state is reached in microseconds, unless the machine is overloaded or a process is stuck in
// the kernel.
constexpr auto kPatience = 5s;

template <class Condition>
bool wait_until(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (auto pause = 50us; !condition();
       pause = std::min(pause * 2, std::chrono::microseconds(5ms))) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

void collect_processes(const Directory& directory, std::vector<pid_t>& pids) {
  if (const auto text = read_cgroup_file(directory, "cgroup.procs")) {
    for (const char* at = text->c_str(); *at != '\0';) {
      char* end = nullptr;
      pids.push_back(static_cast<pid_t>(std::strtol(at, &end, 10)));
      at = *end == '\n' ? end + 1 : end;
    }
  }
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(directory.path, ec)) {
    if (!entry.is_directory(ec)) continue;
    Directory child{.path = entry.path(), .unified = directory.unified};
    child.fd.reset(::open(child.path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (child.fd) collect_processes(child, pids);
  }
}

Result<void> set_v1_state(const Directory& freezer, const char* state) {
  STRATA_CHECK(write_cgroup_file(freezer, "freezer.state", state));
  const bool reached = wait_until([&] {
    const auto now = read_cgroup_file(freezer, "freezer.state");
    if (!now || now->starts_with(state)) return true;
    // A process that forked meanwhile is caught by asking again (freezer-subsystem.rst).
    [[maybe_unused]] const auto asked = write_cgroup_file(freezer, "freezer.state", state);
    return false;
  });
  if (!reached) return fail(ETIMEDOUT, "cgroup " + freezer.path + " did not become " + state);
  return {};
}

Result<void> set_v2_frozen(const Directory& directory, bool frozen) {
  STRATA_CHECK(write_cgroup_file(directory, "cgroup.freeze", frozen ? "1" : "0"));
  const uint64_t wanted = frozen ? 1 : 0;
  const bool reached = wait_until([&] {
    return read_cgroup_number(directory, "cgroup.events", "frozen").value_or(wanted) == wanted;
  });
  if (!reached)
    return fail(ETIMEDOUT,
                "cgroup " + directory.path + " could not be " + (frozen ? "frozen" : "thawed"));
  return {};
}

// Frozen, so that none can fork away; signalled; thawed, so that all can die.
Result<void> kill_round(const Directory& directory, const Directory* freezer) {
  if (freezer != nullptr) {
    [[maybe_unused]] const auto frozen = set_v1_state(*freezer, "FROZEN");  // if not: next round
  }
  std::vector<pid_t> pids;
  collect_processes(directory, pids);
  for (const pid_t pid : pids)
    if (pid > 0) ::kill(pid, SIGKILL);  // 0: not in our pid namespace
  if (freezer != nullptr) return set_v1_state(*freezer, "THAWED");
  return {};
}

}  // namespace

const Directory* Cgroup::v1(std::string_view controller) const {
  for (const auto& directory : directories_)
    for (const auto& own : directory.controllers)
      if (own == controller) return &directory;
  return nullptr;
}

const Directory* Cgroup::unified() const {
  for (const auto& directory : directories_)
    if (directory.unified) return &directory;
  return nullptr;
}

Result<void> Cgroup::kill_all() const {
  const Directory* freezer = v1("freezer");
  const Directory* tree = unified();
  if (tree != nullptr) {
    if (freezer != nullptr) STRATA_CHECK(set_v1_state(*freezer, "THAWED"));
    const auto killed = write_cgroup_file(*tree, "cgroup.kill", "1");
    if (killed || killed.error().code != ENOENT) return killed;  // cgroup.kill: since Linux 5.14
  }
  const Directory* members = tree != nullptr        ? tree
                             : freezer != nullptr   ? freezer
                             : directories_.empty() ? nullptr
                                                    : &directories_.front();
  if (members == nullptr) return {};
  Result<void> outcome;
  wait_until([&] {
    outcome = kill_round(*members, freezer);
    std::vector<pid_t> left;
    collect_processes(*members, left);
    return left.empty() || !outcome;
  });
  return outcome;
}

Result<void> Cgroup::freeze() const {
  if (const auto* tree = unified()) return set_v2_frozen(*tree, true);
  if (const auto* freezer = v1("freezer")) return set_v1_state(*freezer, "FROZEN");
  return fail(ENOTSUP, "this host has no cgroup freezer");
}

Result<void> Cgroup::thaw() const {
  if (const auto* tree = unified()) return set_v2_frozen(*tree, false);
  if (const auto* freezer = v1("freezer")) return set_v1_state(*freezer, "THAWED");
  return fail(ENOTSUP, "this host has no cgroup freezer");
}

CgroupStats Cgroup::stats() const {
  CgroupStats stats;
  const auto* tree = unified();
  if (const auto* memory = v1("memory")) {
    stats.memory_bytes = read_cgroup_number(*memory, "memory.usage_in_bytes");
    stats.memory_peak_bytes = read_cgroup_number(*memory, "memory.max_usage_in_bytes");
    stats.oom_killed =
        read_cgroup_number(*memory, "memory.oom_control", "oom_kill").value_or(0) > 0;
  } else if (tree != nullptr) {
    stats.memory_bytes = read_cgroup_number(*tree, "memory.current");
    stats.memory_peak_bytes = read_cgroup_number(*tree, "memory.peak");  // since Linux 5.19
    stats.oom_killed = read_cgroup_number(*tree, "memory.events", "oom_kill").value_or(0) > 0;
  }
  if (const auto* cpu = v1("cpuacct")) {
    stats.cpu_ns = read_cgroup_number(*cpu, "cpuacct.usage");
  } else if (tree != nullptr) {
    if (const auto usec = read_cgroup_number(*tree, "cpu.stat", "usage_usec"))
      stats.cpu_ns = *usec * 1000;
  }
  const auto* pids = v1("pids");
  if (pids == nullptr) pids = tree;
  if (pids != nullptr) stats.pids = read_cgroup_number(*pids, "pids.current");
  return stats;
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> pids;
  const auto* members = unified();
  if (members == nullptr && !directories_.empty()) members = &directories_.front();
  if (members != nullptr) collect_processes(*members, pids);
  return pids;
}

}  // namespace strata::linux
