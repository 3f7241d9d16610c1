// strata start [-a] [-i] CONTAINER…

#include <cstdio>

#include "runtime/cli/container_commands.h"
#include "runtime/container/control.h"

namespace strata::cli {
namespace {

struct Options {
  std::vector<std::string> names;
  bool attach = false;
  bool input = false;
};

Result<int> start_and_stay(const Globals& globals, const std::string& name, bool input) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_TRY(const auto container, container::Container::find(store, name));
  const auto& record = container.record();
  const bool feed = input && record.open_stdin;
  STRATA_CHECK(check_terminal(record.terminal, feed));
  STRATA_TRY(auto lock, container::lock_for_start(container));
  return start_attached(container, std::move(lock), feed);
}

Result<int> start(const Globals& globals, const Options& options) {
  if (options.attach || options.input) {
    if (options.names.size() != 1)
      return fail(EINVAL, "start: one container at a time can be attached to");
    return start_and_stay(globals, options.names.front(), options.input);
  }
  int status = 0;
  const int failed = for_each_container(
      globals, options.names, kRuntimeFailure,
      [&](const container::Container& container) -> Result<void> {
        STRATA_TRY(auto lock, container::lock_for_start(container));
        STRATA_TRY(const int started, start_detached(container, std::move(lock)));
        if (started == 0) {
          std::printf("%s\n", container.name().c_str());
        } else {
          status = started;
        }
        return {};
      });
  return failed != 0 ? failed : status;
}

}  // namespace

Action add_start(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("CONTAINER", options->names, "containers, by name or ID")->required();
  app.add_flag("-a,--attach", options->attach,
               "stay, show the output, pass signals on, exit with the command's status");
  app.add_flag("-i,--interactive", options->input,
               "the same, and feed standard input to a container that was created with -i");
  return [options](const Globals& globals) { return start(globals, *options); };
}

}  // namespace strata::cli
