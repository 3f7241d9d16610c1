// strata-oci state CONTAINER-ID

#include "runtime/bundle/container.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {

OciAction add_oci_state(CLI::App& app) {
  auto id = std::make_shared<std::string>();
  add_container_id(app, *id);
  return [id](OciGlobals& globals) -> Result<int> {
    STRATA_TRY(const auto container, bundle::Container::load(globals.root, *id));
    print(bundle::state_json(container.record(), container.status(), true) + "\n");
    return 0;
  };
}

}  // namespace strata::cli
