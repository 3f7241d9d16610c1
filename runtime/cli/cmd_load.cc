// strata load [-i FILE]

#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/image/interrupt.h"

namespace strata::cli {
namespace {

struct Options {
  std::string file = "-";
  bool quiet = false;
  image::LoadOptions load;
};

Result<int> load(const Globals& globals, Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  STRATA_TRY(const Input input, open_input(options.file));
  const image::InterruptGuard guard;
  Progress progress("load:");
  options.load.report = report_to(progress);
  image::InterruptibleSource archive(input.fd, input.name);
  auto images = image::load_archive(store, archive, options.load);
  if (!images) return fail_in("load " + input.name, std::move(images).error());
  for (const auto& image : *images) {
    if (options.quiet || image.names.empty()) {
      std::printf("%s\n", image.id.c_str());
      continue;
    }
    for (const auto& name : image.names) std::printf("%s %s\n", image.id.c_str(), name.c_str());
  }
  return 0;
}

}  // namespace

Action add_load(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-i,--input", options->file,
                 "archive to read, OCI or docker-archive, compressed or not")
      ->capture_default_str();
  app.add_flag("-q,--quiet", options->quiet, "print the images' IDs only");
  add_max_size_option(app, options->load.limits);
  return [options](const Globals& globals) { return load(globals, *options); };
}

}  // namespace strata::cli
