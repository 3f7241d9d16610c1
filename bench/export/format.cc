#include "bench/export/format.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <span>

#include "bench/metric.h"

namespace strata::bench {
namespace {

struct Scale {
  double factor;
  const char* symbol;
};

constexpr std::array kTimes{Scale{1, "ns"}, Scale{1e3, "µs"}, Scale{1e6, "ms"}, Scale{1e9, "s"}};
constexpr std::array kSizes{Scale{1, "B"}, Scale{1e3, "kB"}, Scale{1e6, "MB"}, Scale{1e9, "GB"}};
constexpr std::array kRates{Scale{1, "/s"}, Scale{1e3, "k/s"}, Scale{1e6, "M/s"},
                            Scale{1e9, "G/s"}};
constexpr std::array kCounts{Scale{1, ""}};

std::span<const Scale> scales_of(std::string_view metric) {
  switch (unit_of(metric)) {
    case Unit::kNanoseconds:
      return kTimes;
    case Unit::kBytes:
      return kSizes;
    case Unit::kPerSecond:
      return kRates;
    case Unit::kCount:
      break;
  }
  return kCounts;
}

// The largest unit of which there is one, after rounding to three digits (999.6 µs are 1.00 ms).
Scale scale_for(std::string_view metric, double value) {
  const auto scales = scales_of(metric);
  size_t at = 0;
  while (at + 1 < scales.size() && std::abs(value) >= 0.9995 * scales[at + 1].factor) ++at;
  return scales[at];
}

std::string print(const char* format, double value, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, decimals, value);
  return text.data();
}

// Three significant digits, but no decimals of what is whole.
std::string digits(double value) {
  const double magnitude = std::abs(value);
  if (std::trunc(value) == value && magnitude < 100) return print("%.*f", value, 0);
  if (magnitude >= 99.95) return print("%.*f", value, 0);
  if (magnitude >= 9.995) return print("%.*f", value, 1);
  if (magnitude >= 0.9995 || magnitude == 0) return print("%.*f", value, 2);
  return print("%.*g", value, 3);
}

std::string scaled(double value, const Scale& scale) {
  // In a scaled unit "5.00 ms" lines up with "5.31 ms"; in the smallest one "5" is exact.
  const double number = value / scale.factor;
  const bool exact = scale.factor == 1;
  if (exact || std::abs(number) >= 99.95) return digits(number);
  return print("%.*f", number, std::abs(number) >= 9.995 ? 1 : 2);
}

// Three significant digits.
int ratio_decimals(double ratio) {
  if (ratio >= 99.95) return 0;
  if (ratio >= 9.995) return 1;
  return ratio >= 0.9995 ? 2 : 3;
}

std::string with_unit(const std::string& number, const Scale& scale) {
  return *scale.symbol == '\0' ? number : number + " " + scale.symbol;
}

}  // namespace

std::string format_value(std::string_view metric, double value) {
  const Scale scale = scale_for(metric, value);
  return with_unit(scaled(value, scale), scale);
}

std::string format_interval(std::string_view metric, const Interval& interval) {
  const Scale low = scale_for(metric, interval.low);
  const Scale high = scale_for(metric, interval.high);
  const bool shared = low.factor == high.factor;
  return (shared ? scaled(interval.low, low) : with_unit(scaled(interval.low, low), low)) + " – " +
         with_unit(scaled(interval.high, high), high);
}

std::string format_ratio(double ratio) {
  return print("%.*f", ratio, ratio_decimals(ratio)) + "×";
}

std::string format_ratio_interval(const Interval& interval) {
  const int decimals = ratio_decimals(interval.high);
  return "[" + print("%.*f", interval.low, decimals) + " – " +
         print("%.*f", interval.high, decimals) + "]";
}

std::string format_change(double ratio) {
  const double percent = (ratio - 1) * 100;
  if (std::abs(percent) < 0.05) return "0 %";
  return print("%+.*f", percent, std::abs(percent) < 9.95 ? 1 : 0) + " %";
}

std::string format_change_interval(const Interval& ratio) {
  return "[" + format_change(ratio.low) + " to " + format_change(ratio.high) + "]";
}

std::string target_label(const Target& target) {
  return target.accelerator.empty() ? target.name : target.name + " (" + target.accelerator + ")";
}

std::string verdict_text(std::string_view metric, Verdict verdict) {
  const bool time = unit_of(metric) == Unit::kNanoseconds || higher_is_better(metric);
  switch (verdict) {
    case Verdict::kTooFew:
      return "too few trials to tell";
    case Verdict::kNoDifference:
      return "no difference seen";
    case Verdict::kLower:
      return !time ? "less" : higher_is_better(metric) ? "slower" : "faster";
    case Verdict::kHigher:
      break;
  }
  return !time ? "more" : higher_is_better(metric) ? "faster" : "slower";
}

}  // namespace strata::bench
