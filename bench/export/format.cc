#include "bench/export/format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace strata::bench {
namespace {

struct Scale {
  double factor;
  const char* unit;
};

std::string three_digits(double value, const char* unit) {
  const double magnitude = std::abs(value);
  const int decimals = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : 2;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f%s%s", decimals, value, *unit != '\0' ? " " : "",
                unit);
  return text.data();
}

template <size_t N>
std::string scaled(double value, const std::array<Scale, N>& scales) {
  for (const auto& scale : scales)
    if (std::abs(value) >= scale.factor) return three_digits(value / scale.factor, scale.unit);
  return three_digits(value / scales.back().factor, scales.back().unit);
}

}  // namespace

std::string format_value(std::string_view metric, double value) {
  constexpr std::array kTimes{Scale{1e9, "s"}, Scale{1e6, "ms"}, Scale{1e3, "µs"}, Scale{1, "ns"}};
  constexpr std::array kSizes{Scale{1e9, "GB"}, Scale{1e6, "MB"}, Scale{1e3, "kB"}, Scale{1, "B"}};
  if (metric.ends_with("_ns")) return scaled(value, kTimes);
  if (metric.ends_with("_bytes")) return scaled(value, kSizes);
  return three_digits(value, "");
}

std::string metric_title(std::string_view name) {
  if (name == metric::kFirstByte) return "start to first instruction";
  if (name == metric::kExit) return "start to exit";
  if (name == metric::kGone) return "start to the end of the last process";
  if (name == metric::kPeakRss) return "peak memory of the largest process";
  if (name == metric::kUser) return "CPU time, user";
  if (name == metric::kSystem) return "CPU time, kernel";
  return std::string(name);
}

std::string target_label(const Target& target) {
  return target.accelerator.empty() ? target.name : target.name + " (" + target.accelerator + ")";
}

}  // namespace strata::bench
