// strata-oci delete [--force] CONTAINER-ID

#include "runtime/bundle/control.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {
namespace {

struct Options {
  std::string id;
  bool force = false;
};

}  // namespace

OciAction add_oci_delete(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_container_id(app, options->id);
  app.add_flag("-f,--force", options->force, "kill it if it runs; no error if it is not there");
  return [options](OciGlobals& globals) -> Result<int> {
    STRATA_CHECK(bundle::remove(globals.root, options->id, options->force, globals.log));
    return 0;
  };
}

}  // namespace strata::cli
