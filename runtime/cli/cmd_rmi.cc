// strata rmi [-f] NAME…

#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/image/maintain.h"

namespace strata::cli {
namespace {

struct Options {
  std::vector<std::string> names;
  bool force = false;
};

Result<int> remove(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  for (const auto& name : options.names) {
    auto removal = image::remove_image(store, name, options.force);
    if (!removal) return fail_in("rmi", std::move(removal).error());
    for (const auto& untagged : removal->untagged) std::printf("untagged %s\n", untagged.c_str());
    for (const auto& id : removal->removed)
      std::printf("removed %s, %s freed\n", id.c_str(), human_size(removal->bytes).c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

Action add_rmi(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("NAME", options->names, "images, by name or ID")->required();
  app.add_flag("-f,--force", options->force,
               "by ID, remove all names; if a container needs the image, only its name");
  return [options](const Globals& globals) { return remove(globals, *options); };
}

}  // namespace strata::cli
