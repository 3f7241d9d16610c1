// strata stop [-t SECONDS] CONTAINER…

#include <chrono>
#include <cstdio>

#include "runtime/cli/container_commands.h"
#include "runtime/container/control.h"

namespace strata::cli {

Action add_stop(CLI::App& app) {
  struct Options {
    std::vector<std::string> names;
    unsigned seconds = 10;
  };
  auto options = std::make_shared<Options>();
  app.add_option("CONTAINER", options->names, "containers, by name or ID")->required();
  app.add_option("-t,--time", options->seconds, "seconds until a container is killed")
      ->capture_default_str();
  return [options](const Globals& globals) -> Result<int> {
    return for_each_container(
        globals, options->names, kFailure,
        [&](const container::Container& container) -> Result<void> {
          STRATA_CHECK(container::stop(container, std::chrono::seconds(options->seconds)));
          std::printf("%s\n", container.name().c_str());
          return {};
        });
  };
}

}  // namespace strata::cli
