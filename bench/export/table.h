// A result document as a table for the terminal, and two documents compared.
#pragma once

#include <string>

#include "bench/result.h"

namespace strata::bench {

struct TableOptions {
  bool colour = false;    // wants_colour(fd) of where it goes
  bool unicode = true;    // false: ASCII only
  std::string reference;  // target that ratios refer to; empty: the document's
};

// One block a metric (target, n, median, 95 % interval, ratio to the reference with its interval),
// with peak memory and failures in the first; then what was skipped and why. VM rows name their
// accelerator.
[[nodiscard]] std::string to_table(const Document& document, const TableOptions& options);

// Target by target: the medians of both, their ratio (B to A), and a verdict:
// "lower", "higher", or "no difference seen". The runs weren't interleaved, so the samples are
// compared unpaired (Mann-Whitney) and differences of the machines are named above the table.
[[nodiscard]] std::string compare_table(const Document& a, const Document& b,
                                        const TableOptions& options);

}  // namespace strata::bench
