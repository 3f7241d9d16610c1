// strata import TAR|- NAME[:TAG]

#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/image/interrupt.h"

namespace strata::cli {
namespace {

struct Options {
  std::string tar;
  std::string name;
  std::string base;
  std::string compression = "zstd";
  image::ImportOptions import;
};

Result<int> import(const Globals& globals, Options& options) {
  STRATA_TRY(options.import.compression, image::parse_compression(options.compression));
  if (!options.base.empty()) options.import.base = options.base;
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  STRATA_TRY(const Input input, open_input(options.tar));
  const image::InterruptGuard guard;
  Progress progress("import:");
  options.import.report = report_to(progress);
  image::InterruptibleSource tar(input.fd, input.name);
  auto made = image::import_tar(store, tar, options.tar, options.name, options.import);
  if (!made) return fail_in("import", std::move(made).error());
  std::printf("%s\n", made->id.c_str());
  return 0;
}

}  // namespace

Action add_import(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("TAR", options->tar,
                 "root file system tar, plain or compressed (gzip, zstd, xz, …); '-' for standard "
                 "input")
      ->required();
  app.add_option("NAME", options->name, "name of the image, NAME[:TAG]")->required();
  app.add_option("--base", options->base, "put the tar as a layer on top of this image");
  app.add_option("--compression", options->compression, "how the layer is kept: zstd, gzip or none")
      ->capture_default_str();
  add_authoring_options(app, options->import.authoring);
  add_max_size_option(app, options->import.limits);
  return [options](const Globals& globals) { return import(globals, *options); };
}

}  // namespace strata::cli
