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
       .make_targets = make_targets},
      {.name = "lookup",
       .summary = "names, directories and files of stacks of layers, by the ways to show them",
       .command = {"/bin/true"},  // not used: the targets start their own program
       .output = "",
       .make_targets = make_lookup_targets},
      {.name = "density",
       .summary = "a thousand containers of one runtime at once, and starts from several sides",
       .command = {"/bin/true"},
       .output = "",
       .make_targets = make_density_targets}};
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
  std::string known;
  for (const auto& target : all)
    known.append(known.empty() ? "" : ", ").append(target->info().name);
  Targets selected;
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->empty()) return fail(EINVAL, "the name of a target is missing; there are: " + known);
    if (std::find(names.begin(), name, *name) != name)
      return fail(EINVAL, "target '" + *name + "' is named twice");
    const auto it = std::find_if(all.begin(), all.end(), [&](const auto& target) {
      return target != nullptr && target->info().name == *name;
    });
    if (it == all.end()) return fail(EINVAL, "no target '" + *name + "'; there are: " + known);
    selected.push_back(std::move(*it));
  }
  return selected;
}

}  // namespace strata::bench
