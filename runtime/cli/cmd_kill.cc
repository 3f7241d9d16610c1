// strata kill [-s SIGNAL] CONTAINER…

#include <cstdio>

#include "runtime/cli/container_commands.h"
#include "runtime/container/control.h"
#include "runtime/container/signals.h"

namespace strata::cli {

Action add_kill(CLI::App& app) {
  struct Options {
    std::vector<std::string> names;
    std::string signal = "KILL";
  };
  auto options = std::make_shared<Options>();
  app.add_option("CONTAINER", options->names, "containers, by name or ID")->required();
  app.add_option("-s,--signal", options->signal, "signal, by name or number")
      ->capture_default_str();
  return [options](const Globals& globals) -> Result<int> {
    STRATA_TRY(const int signal, container::parse_signal(options->signal));
    return for_each_container(globals, options->names, kFailure,
                              [&](const container::Container& container) -> Result<void> {
                                STRATA_CHECK(container::kill(container, signal));
                                std::printf("%s\n", container.name().c_str());
                                return {};
                              });
  };
}

}  // namespace strata::cli
