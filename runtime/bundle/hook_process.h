// One hook's process. For the .cc files of runtime/bundle only.
#pragma once

#include <string>

#include "runtime/bundle/hooks.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

struct HookEnd {
  std::string failure;   // "exit status 1", "killed by signal 9", "timed out"; empty: it succeeded
  std::string out, err;  // the beginnings of what it wrote
};

// An Error: it could not be started.
[[nodiscard]] Result<HookEnd> run_hook(const oci::Hook& hook, const std::string& state,
                                       HookPlace place);

}  // namespace strata::bundle
