// What is known of metrics beyond their names in result.h. An unknown one is handled by its unit.
//
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/result.h"

namespace strata::bench {

enum class Unit { kNanoseconds, kBytes, kPerSecond, kCount };

[[nodiscard]] Unit unit_of(std::string_view metric);

// "start to first instruction" of "first_byte_ns"; an unknown name as it is.
[[nodiscard]] std::string metric_title(std::string_view metric);

// One sentence: what exactly is measured. Empty for an unknown one.
[[nodiscard]] std::string metric_description(std::string_view metric);

// Rates are better when higher, everything else when lower.
[[nodiscard]] bool higher_is_better(std::string_view metric);

// The times by which targets are compared first, as opposed to what explains them.
[[nodiscard]] bool is_headline(std::string_view metric);

// All metrics that occur in the samples: those of result.h in its order, then the others by name.
[[nodiscard]] std::vector<std::string> metric_names(const Document& document);

}  // namespace strata::bench
