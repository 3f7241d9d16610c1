// strata-oci create [OPTIONS] CONTAINER-ID

#include "runtime/bundle/create.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {
namespace {

Result<int> create(OciGlobals& globals, const BundleOptions& options) {
  STRATA_CHECK(check_bundle_options(globals, options));
  STRATA_TRY(auto bundle, load_bundle_of(options, globals.log));
  STRATA_CHECK(guard_against(bundle.spec));
  STRATA_CHECK(bundle::become_root_for(bundle));
  STRATA_CHECK(bundle::create(globals.root, options.id, bundle,
                              {.console_socket = options.console_socket,
                               .pid_file = options.pid_file,
                               .preserved_fds = options.preserved_fds,
                               .rootless = globals.rootless},
                              globals.log));
  return 0;
}

}  // namespace

OciAction add_oci_create(CLI::App& app) {
  auto options = std::make_shared<BundleOptions>();
  add_bundle_options(app, *options);
  return [options](OciGlobals& globals) { return create(globals, *options); };
}

}  // namespace strata::cli
