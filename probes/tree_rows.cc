#include "probes/tree_rows.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace strata::probes {

std::vector<TreeRow> tree_rows(const StartupTrace& trace) {
  std::map<uint32_t, std::vector<const TracedProcess*>> children;
  std::set<uint32_t> known;
  for (const auto& process : trace.processes) known.insert(process.id);
  for (const auto& process : trace.processes) {
    const bool has_parent = process.parent != process.id && known.contains(process.parent);
    children[has_parent ? process.parent : 0].push_back(&process);
  }
  std::vector<TreeRow> rows;
  struct Frame {
    const TracedProcess* process;
    std::string indent;
    bool last;
    bool top;
  };
  std::vector<Frame> stack;
  const auto push = [&](uint32_t parent, const std::string& indent) {
    const auto it = children.find(parent);
    if (it == children.end()) return;
    for (size_t i = it->second.size(); i-- > 0;)
      stack.push_back({it->second[i], indent, i + 1 == it->second.size(), parent == 0});
  };
  push(0, "");
  while (!stack.empty()) {
    const Frame frame = std::move(stack.back());
    stack.pop_back();
    TreeRow row{.process = frame.process};
    if (!frame.top) {
      row.branch = frame.indent + (frame.last ? "└─ " : "├─ ");
      row.continuation = frame.indent + (frame.last ? "   " : "│  ");
    }
    push(frame.process->id, row.continuation);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace strata::probes
