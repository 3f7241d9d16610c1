// strata tag SOURCE NAME

#include "runtime/cli/image_commands.h"
#include "runtime/image/maintain.h"

namespace strata::cli {
namespace {

struct Options {
  std::string source;
  std::string name;
};

Result<int> tag(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_CHECK(image::tag_image(store, options.source, options.name));
  return 0;
}

}  // namespace

Action add_tag(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("SOURCE", options->source, "image, by name or ID")->required();
  app.add_option("NAME", options->name, "its further name, NAME[:TAG]")->required();
  return [options](const Globals& globals) { return tag(globals, *options); };
}

}  // namespace strata::cli
