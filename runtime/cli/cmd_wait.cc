// strata wait CONTAINER…

#include <cstdio>

#include "runtime/cli/container_commands.h"
#include "runtime/container/control.h"

namespace strata::cli {

Action add_wait(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("CONTAINER", *names, "containers, by name or ID")->required();
  app.footer("Prints the exit status of each.");
  return [names](const Globals& globals) -> Result<int> {
    return for_each_container(globals, *names, kFailure,
                              [](const container::Container& container) -> Result<void> {
                                STRATA_TRY(const int status, container::wait(container));
                                std::printf("%d\n", status);
                                std::fflush(stdout);
                                return {};
                              });
  };
}

}  // namespace strata::cli
