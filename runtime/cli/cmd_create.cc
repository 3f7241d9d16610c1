// strata create [OPTIONS] IMAGE [COMMAND…]

#include <cstdio>

#include "runtime/cli/container_commands.h"

namespace strata::cli {

Action add_create(CLI::App& app) {
  auto options = std::make_shared<ContainerOptions>();
  add_container_options(app, *options);
  return [options, &app](const Globals& globals) -> Result<int> {
    STRATA_CHECK(finish_container_options(app, *options));
    STRATA_TRY(const image::Store store, image::Store::open(globals.root));
    STRATA_TRY(const auto created, container::create(store, options->image, options->create));
    STRATA_CHECK(created.container.save({}, Durability::kDurable));
    std::printf("%s\n", created.container.id().c_str());
    return 0;
  };
}

}  // namespace strata::cli
