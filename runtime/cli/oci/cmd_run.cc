// strata-oci run [OPTIONS] CONTAINER-ID

#include "runtime/bundle/control.h"
#include "runtime/bundle/create.h"
#include "runtime/bundle/foreground.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {
namespace {

struct Options : BundleOptions {
  bool detach = false, keep = false;
};

// Gives the container's lock back: others may work on it while it runs.
Result<bundle::Created> launch(OciGlobals& globals, const Options& options,
                               const bundle::Bundle& bundle) {
  const bool keep_console = !options.detach && options.console_socket.empty();
  STRATA_TRY(auto created, bundle::create(globals.root, options.id, bundle,
                                          {.console_socket = options.console_socket,
                                           .pid_file = options.pid_file,
                                           .preserved_fds = options.preserved_fds,
                                           .start = true,
                                           .keep_console = keep_console,
                                           .rootless = globals.rootless},
                                          globals.log));
  created.container.directory().unlock();
  return created;
}

Result<int> run(OciGlobals& globals, const Options& options) {
  STRATA_CHECK(check_bundle_options(globals, options));
  STRATA_TRY(auto bundle, load_bundle_of(options, globals.log));
  STRATA_CHECK(guard_against(bundle.spec));
  STRATA_CHECK(bundle::become_root_for(bundle));
  if (options.detach) {
    STRATA_CHECK(launch(globals, options, bundle));
    return 0;
  }
  STRATA_TRY(auto signals, container::SignalRelay::open());
  STRATA_TRY(auto created, launch(globals, options, bundle));
  const auto status = bundle::stay_with(created.launched, signals);
  if (!options.keep) STRATA_CHECK(bundle::remove_ended(created.container, globals.log));
  return status;
}

}  // namespace

OciAction add_oci_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_bundle_options(app, *options);
  app.add_flag("-d,--detach", options->detach, "don't stay with the container");
  app.add_flag("--keep", options->keep, "don't delete the container when it has ended");
  app.add_flag("--no-subreaper")->description("accepted for compatibility: it is none");
  return [options](OciGlobals& globals) { return run(globals, *options); };
}

}  // namespace strata::cli
