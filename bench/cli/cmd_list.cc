// strata bench list

#include <unistd.h>

#include <cstdio>

#include "bench/cli/commands.h"
#include "bench/suite.h"
#include "unionfs/base/terminal.h"

namespace strata::bench {
namespace {

Result<int> list(const Globals& /*globals*/) {
  for (const auto& suite : suites()) {
    std::printf("%s\n", paint(STDOUT_FILENO, Colour::kBold, suite.name).c_str());
    std::printf("  %s\n", std::string(suite.summary).c_str());
    for (const auto& target : suite.make_targets(find_own_programs())) {
      const auto& info = target->info();
      const auto reason = target->unavailable();
      const std::string state = reason ? paint(STDOUT_FILENO, Colour::kYellow, "no: " + *reason)
                                       : paint(STDOUT_FILENO, Colour::kGreen, "can run");
      std::printf("  %-16s %-10s %s\n", info.name.c_str(), info.kind.c_str(), state.c_str());
    }
  }
  return 0;
}

}  // namespace

Action add_list(CLI::App& /*app*/) {
  return list;
}

}  // namespace strata::bench
