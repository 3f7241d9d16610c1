// What a document's samples say: computed here and nowhere else, so that the table on the terminal
// and the page in the browser quote the same numbers.
//
// Thread rule: any thread. What is returned refers to nothing in the document.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/result.h"
#include "bench/stats.h"

namespace strata::bench {

// What can be said about a difference at the 5 % level.
enum class Verdict {
  kTooFew,        // not enough trials to tell
  kNoDifference,  // nothing seen that chance doesn't explain
  kLower,
  kHigher,
};

// A target's value in relation to another's.
struct Comparison {
  Estimate ratio;  // of the target to what it is compared with; below 1: the target's is lower
  double p = 1;    // chance of such a difference if there is none
  Verdict verdict = Verdict::kTooFew;
  bool paired = false;  // within rounds of one run, as against between all samples of both
};

struct Row {
  std::string target;
  Estimate median;
  double mad = 0;
  Interval middle_half;                    // first and third quartile
  Interval range;                          // smallest and largest
  std::vector<int> outliers;               // Sample::order of those; they count all the same
  std::optional<Comparison> to_reference;  // absent for the reference itself
  // The median of the later half of the trials to that of the earlier half, where they differ by
  // more than 5 % and chance explains it in less than 1 % of cases: the machine was not at rest.
  std::optional<double> drift;
};

struct MetricSummary {
  std::string metric;
  std::vector<Row> rows;  // in the targets' order; those without a sample are left out
};

struct Counts {
  size_t counted = 0;  // what the aggregates are made of
  size_t failed = 0;
  size_t warmups = 0;
};

struct Summary {
  std::string reference;               // empty: none
  std::vector<MetricSummary> metrics;  // in the order of metric_names()
};

// `reference` empty: the document's own. One that names no target is as none.
[[nodiscard]] Summary summarise(const Document& document, std::string_view reference = {});

[[nodiscard]] Counts count_samples(const Document& document, std::string_view target);

// A metric's values of one target in the order taken; warm-ups and failures left out.
[[nodiscard]] std::vector<double> values_of(const Document& document, std::string_view target,
                                            std::string_view metric);

// The ratios target / reference, a pair from each round that has both: a machine that drifts harms
// both halves of a pair alike.
[[nodiscard]] std::vector<double> paired_ratios(const Document& document, std::string_view target,
                                                std::string_view reference,
                                                std::string_view metric);

// Samples of `of` to samples of `to`, from different runs or without common rounds. nullopt where
// there is no ratio (no samples, zero).
[[nodiscard]] std::optional<Comparison> compare_unpaired(const std::vector<double>& of,
                                                         const std::vector<double>& to);

// What differs between two machines that should be the same for a fair comparison, a line each:
// "kernel: 6.1.0 and 6.18.5".
[[nodiscard]] std::vector<std::string> differences(const Context& a, const Context& b);

}  // namespace strata::bench
