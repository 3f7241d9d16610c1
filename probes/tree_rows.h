// A trace's processes as the lines of a tree, with the branches drawn before each name.
//
// Private to probes/. Thread rule: plain functions.
#pragma once

#include <string>
#include <vector>

#include "probes/startup.h"

namespace strata::probes {

// A process and the branches of the tree that lead to it.
struct TreeRow {
  const TracedProcess* process = nullptr;
  std::string branch;        // "│ └─ "
  std::string continuation;  // the same for lines below it: "│    "
};

// Depth first, siblings in the order of their births. A process whose creator is not in the trace
// stands at the top.
[[nodiscard]] std::vector<TreeRow> tree_rows(const StartupTrace& trace);

}  // namespace strata::probes
