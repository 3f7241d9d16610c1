// Metrics that a started program measured itself and wrote on standard output: for suites in which
// what is measured is not the start of a process.
//
// Thread rule: pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace strata::bench {

// A line of such output: "metric cold_hit_ns 123.4". The unit ends the name (result.h).
inline constexpr std::string_view kMetricLine = "metric ";

// The metrics in `output`, other lines left out.
[[nodiscard]] std::map<std::string, double> reported_metrics(std::string_view output);

}  // namespace strata::bench
