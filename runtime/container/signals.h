// Signals by name and number. Pure.
#pragma once

#include <string>
#include <string_view>

#include "unionfs/base/result.h"

namespace strata::container {

// "TERM", "SIGTERM", "term", "15", "RTMIN+3". EINVAL for anything else.
[[nodiscard]] Result<int> parse_signal(std::string_view text);

}  // namespace strata::container
