// What can be measured: a suite is a set of targets with the command that they start.
//
// Thread rule: any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/target_driver.h"
#include "bench/targets/targets.h"

namespace strata::bench {

struct Suite {
  std::string_view name;
  std::string_view summary;
  std::vector<std::string> command;  // the default; writes at once and ends
  std::string output;                // what the default command writes
  Targets (*make_targets)(const OwnPrograms& programs);
};

[[nodiscard]] std::span<const Suite> suites();

// EINVAL names the suites that there are.
[[nodiscard]] Result<const Suite*> find_suite(std::string_view name);

// The targets named, in that order; all if none is. EINVAL names the targets that there are.
[[nodiscard]] Result<Targets> select_targets(Targets all, const std::vector<std::string>& names);

}  // namespace strata::bench
