// What this runtime knows of the runtime-spec (features.md, features-linux.md), whether or not this
// host can do it.
#pragma once

#include <string>

namespace strata::bundle {

[[nodiscard]] std::string features_json();

}  // namespace strata::bundle
