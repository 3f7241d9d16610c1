#include "bench/reported_metrics.h"

#include <charconv>
#include <cmath>

namespace strata::bench {

std::map<std::string, double> reported_metrics(std::string_view output) {
  std::map<std::string, double> metrics;
  while (!output.empty()) {
    const size_t end = output.find('\n');
    std::string_view line = output.substr(0, end);
    output = end == std::string_view::npos ? std::string_view() : output.substr(end + 1);
    if (!line.starts_with(kMetricLine)) continue;
    line.remove_prefix(kMetricLine.size());
    const size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const std::string_view number = line.substr(space + 1);
    double value = 0;
    const auto parsed = std::from_chars(number.begin(), number.end(), value);
    if (parsed.ec == std::errc() && parsed.ptr == number.end() && std::isfinite(value))
      metrics[std::string(line.substr(0, space))] = value;
  }
  return metrics;
}

}  // namespace strata::bench
