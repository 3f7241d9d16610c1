// strata-oci pause CONTAINER-ID, strata-oci resume CONTAINER-ID

#include "runtime/bundle/control.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {
namespace {

OciAction add(CLI::App& app, Result<void> (*work)(const bundle::Container&)) {
  auto id = std::make_shared<std::string>();
  add_container_id(app, *id);
  return [id, work](OciGlobals& globals) -> Result<int> {
    STRATA_TRY(const auto container, bundle::Container::load(globals.root, *id));
    STRATA_CHECK(work(container));
    return 0;
  };
}

}  // namespace

OciAction add_oci_pause(CLI::App& app) {
  return add(app, bundle::pause);
}

OciAction add_oci_resume(CLI::App& app) {
  return add(app, bundle::resume);
}

}  // namespace strata::cli
