// Numbers as a person reads them.
//
// Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>

#include "bench/result.h"
#include "bench/summary.h"

namespace strata::bench {

// Three significant digits in the unit that the metric's name ends in, scaled: "5.31 ms", "2.40
// MB", "17", "1.20 M/s".
[[nodiscard]] std::string format_value(std::string_view metric, double value);

// "5.21 – 5.40 ms": the unit once where both ends share it.
[[nodiscard]] std::string format_interval(std::string_view metric, const Interval& interval);

// "0.944×", "5.31×", "312×"
[[nodiscard]] std::string format_ratio(double ratio);

// "[0.923 – 0.971]"
[[nodiscard]] std::string format_ratio_interval(const Interval& interval);

// A ratio as a change: "+12 %", "-3.4 %".
[[nodiscard]] std::string format_change(double ratio);

// "[-3.9 % to +1.0 %]"
[[nodiscard]] std::string format_change_interval(const Interval& ratio);

// "vm-microvm (tcg)": a VM never goes without its accelerator.
[[nodiscard]] std::string target_label(const Target& target);

// "faster", "slower", "less", "more", "no difference seen", "too few trials to tell".
[[nodiscard]] std::string verdict_text(std::string_view metric, Verdict verdict);

}  // namespace strata::bench
