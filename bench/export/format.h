// Numbers as a person reads them, by the unit at the end of the metric's name.
#pragma once

#include <string>
#include <string_view>

#include "bench/result.h"

namespace strata::bench {

// "5.31 ms", "2.4 MB", "17": three significant digits.
[[nodiscard]] std::string format_value(std::string_view metric, double value);

// "start to first instruction" of "first_byte_ns"; an unknown name as it is.
[[nodiscard]] std::string metric_title(std::string_view metric);

// "vm-microvm (tcg)": a VM never goes without its accelerator.
[[nodiscard]] std::string target_label(const Target& target);

}  // namespace strata::bench
