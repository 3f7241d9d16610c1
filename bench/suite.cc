#include "bench/suite.h"

#include <algorithm>
#include <utility>

namespace strata::bench {

std::span<const Suite> suites() {
  static const std::vector<Suite> kSuites{
      {.name = "startup",
       .summary = "start-up of one image's command as a process, in containers and in VMs",
       .command = {"/bin/echo", "started"},
       .output = "started\n",
       .make_targets = make_targets}};
  return kSuites;
}

Result<const Suite*> find_suite(std::string_view name) {
  std::string known;
  for (const auto& suite : suites()) {
    if (suite.name == name) return &suite;
    known += known.empty() ? "" : ", ";
    known += suite.name;
  }
  return fail(EINVAL, "no suite '" + std::string(name) + "'; there are: " + known);
}

Result<Targets> select_targets(Targets all, const std::vector<std::string>& names) {
  if (names.empty()) return all;
  Targets selected;
  for (const auto& name : names) {
    const auto it = std::find_if(all.begin(), all.end(), [&](const auto& target) {
      return target != nullptr && target->info().name == name;
    });
    if (it != all.end()) {
      selected.push_back(std::move(*it));
      continue;
    }
    std::string known;
    for (const auto& target : all)
      if (target != nullptr) known.append(known.empty() ? "" : ", ").append(target->info().name);
    return fail(
        EINVAL,
        std::string("no target '").append(name).append("', or named twice; there are: ") + known);
  }
  return selected;
}

}  // namespace strata::bench
