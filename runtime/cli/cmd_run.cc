// strata run [OPTIONS] IMAGE [COMMAND…]

#include <cstdio>

#include "runtime/cli/container_commands.h"

namespace strata::cli {
namespace {

struct Options : ContainerOptions {
  bool detach = false;
};

Result<int> run(const Globals& globals, Options& options) {
  const auto& create = options.create;
  const bool attach_input = create.open_stdin && !options.detach;
  STRATA_CHECK(check_terminal(create.terminal, attach_input));
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  STRATA_TRY(auto created, container::create(store, options.image, create));
  if (!options.detach)
    return start_attached(created.container, std::move(created.lock), attach_input);
  STRATA_TRY(const int status, start_detached(created.container, std::move(created.lock)));
  if (status == 0) std::printf("%s\n", created.container.id().c_str());
  return status;
}

}  // namespace

Action add_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_container_options(app, *options);
  app.add_flag("-d,--detach", options->detach, "print the container's ID and leave it running");
  app.footer(
      "Exit status: the command's (128 + n if signal n ended it), 125 if strata failed, 126 if the "
      "command can't be executed, 127 if it is not there.");
  return [options, &app](const Globals& globals) -> Result<int> {
    STRATA_CHECK(finish_container_options(app, *options));
    return run(globals, *options);
  };
}

}  // namespace strata::cli
