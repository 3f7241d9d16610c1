// strata-oci features
//
// Source: runtime-spec features.md, features-linux.md.

#include "runtime/bundle/features.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {

OciAction add_oci_features(CLI::App&) {
  return [](OciGlobals&) -> Result<int> {
    print(bundle::features_json() + "\n");
    return 0;
  };
}

}  // namespace strata::cli
