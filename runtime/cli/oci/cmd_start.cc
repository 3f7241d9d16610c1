// strata-oci start CONTAINER-ID

#include "runtime/bundle/start.h"
#include "runtime/cli/oci/oci_command.h"
#include "runtime/linux/own_program.h"

namespace strata::cli {

OciAction add_oci_start(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  add_container_id(app, *id);
  return [id](OciGlobals& globals) -> Result<int> {
    STRATA_TRY(auto container, bundle::Container::load(globals.root, *id));
    if (container.record().has_hooks) STRATA_CHECK(linux::run_from_read_only_mount(nullptr));
    STRATA_CHECK(bundle::start(container, globals.log));
    return 0;
  };
}

}  // namespace strata::cli
