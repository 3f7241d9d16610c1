#include <unistd.h>

#include <cstdio>
#include <string>

#include "probes/cli/commands.h"
#include "unionfs/base/terminal.h"

namespace strata::probes::cli {
namespace {

struct ProbeLine {
  const char* name;
  const char* shows;
};

constexpr ProbeLine kProbes[] = {
    {"startup", "forks, execs, exits and system calls of a command's process tree, with times"},
};

}  // namespace

Action add_list(CLI::App& /*app*/) {
  return []() -> Result<int> {
    for (const auto& probe : kProbes) {
      std::printf("%s  %s\n", paint(STDOUT_FILENO, Colour::kBold, probe.name).c_str(), probe.shows);
    }
    return 0;
  };
}

}  // namespace strata::probes::cli
