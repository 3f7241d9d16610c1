// strata-oci checkpoint …, strata-oci restore …

#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {

OciAction add_oci_checkpoint(CLI::App& app) {
  app.allow_extras();
  return [](OciGlobals&) -> Result<int> {
    return fail(ENOTSUP,
                "checkpoint and restore are not supported: this runtime does not use CRIU");
  };
}

}  // namespace strata::cli
