// What the guest is told to run: the image's configuration with what the caller wants differently,
// by docker's rules, as the records of protocol.h. Pure.
#pragma once

#include <string>
#include <vector>

#include "runtime/image/image.h"
#include "runtime/vm/vm.h"
#include "unionfs/base/result.h"

namespace strata::vm {

inline constexpr const char* kGuestHostname = "strata-vm";

// ENTRYPOINT and CMD with the request's; empty: there is nothing to run.
[[nodiscard]] Result<std::vector<std::string>> merge_command(const image::Config& config,
                                                             const VmRequest& request);

// A default PATH and HOSTNAME, then the image's variables, then the request's. EINVAL: a variable
// without a name.
[[nodiscard]] Result<std::vector<std::string>> merge_environment(const image::Config& config,
                                                                 const VmRequest& request);

// The configuration for the guest. EINVAL also for strings with a NUL and a relative working
// directory.
[[nodiscard]] Result<std::string> make_guest_config(const image::Config& config,
                                                    const VmRequest& request);

}  // namespace strata::vm
