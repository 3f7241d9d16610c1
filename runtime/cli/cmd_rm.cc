// strata rm [-f] CONTAINER…

#include <cstdio>

#include "runtime/cli/container_commands.h"
#include "runtime/container/control.h"

namespace strata::cli {

Action add_rm(CLI::App& app) {
  struct Options {
    std::vector<std::string> names;
    bool force = false;
  };
  auto options = std::make_shared<Options>();
  app.add_option("CONTAINER", options->names, "containers, by name or ID")->required();
  app.add_flag("-f,--force", options->force, "kill those that run");
  return [options](const Globals& globals) -> Result<int> {
    return for_each_container(globals, options->names, kFailure,
                              [&](const container::Container& container) -> Result<void> {
                                STRATA_CHECK(container::remove(container, options->force));
                                std::printf("%s\n", container.name().c_str());
                                return {};
                              });
  };
}

}  // namespace strata::cli
