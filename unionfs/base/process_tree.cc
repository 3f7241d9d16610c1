#include "unionfs/base/process_tree.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "unionfs/base/file.h"

namespace strata {
namespace {

// The parent of `pid` and whether it is a zombie, from /proc/<pid>/stat (proc(5)): the fields after
// the command, which stands in parentheses and may itself contain them.
bool parse_stat(const std::string& stat, pid_t& parent, bool& zombie) {
  const auto close = stat.rfind(')');
  if (close == std::string::npos || close + 4 > stat.size()) return false;
  zombie = stat[close + 2] == 'Z' || stat[close + 2] == 'X';
  parent = static_cast<pid_t>(std::strtol(stat.c_str() + close + 4, nullptr, 10));
  return true;
}

}  // namespace

std::vector<pid_t> descendants(pid_t ancestor) {
  std::multimap<pid_t, pid_t> children;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ec)) {
    const auto pid = static_cast<pid_t>(std::strtol(entry.path().filename().c_str(), nullptr, 10));
    if (pid <= 0) continue;
    const auto stat = read_file(entry.path() / "stat");
    pid_t parent = 0;
    bool zombie = false;
    if (stat && parse_stat(*stat, parent, zombie) && !zombie) children.emplace(parent, pid);
  }
  std::vector<pid_t> found{ancestor};
  for (size_t i = 0; i < found.size(); ++i) {
    const auto [first, last] = children.equal_range(found[i]);
    for (auto it = first; it != last; ++it) found.push_back(it->second);
  }
  found.erase(found.begin());
  return found;
}

bool kill_descendants(pid_t ancestor, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    const auto found = descendants(ancestor);
    if (found.empty()) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    for (const pid_t pid : found) ::kill(pid, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

void kill_tree(pid_t child) {
  constexpr std::chrono::seconds kPatience{1};  // what can't be killed is not waited for
  ::kill(child, SIGSTOP);
  [[maybe_unused]] const bool all = kill_descendants(child, kPatience);
  ::kill(-child, SIGKILL);  // with those whose parents are gone
}

}  // namespace strata
