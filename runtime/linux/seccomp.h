// The default seccomp filter, docker's profile for docker's default capabilities, compiled by
// libseccomp when Strata is built: no compilation at run time, no library in the start path.
#pragma once

#include <linux/filter.h>

#include <span>

namespace strata::linux {

[[nodiscard]] std::span<const sock_filter> default_seccomp_filter();

}  // namespace strata::linux
