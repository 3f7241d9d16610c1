// A result document as a table for the terminal, and two documents compared.
//
// Thread rule: any thread.
#pragma once

#include <string>

#include "bench/export/text_grid.h"
#include "bench/result.h"

namespace strata::bench {

struct TableOptions {
  bool colour = false;    // wants_colour(fd) of where it goes
  bool unicode = true;    // false: ASCII only
  std::string reference;  // target that ratios refer to; empty: the document's
};

// One block a headline metric (target, n, median, 95 % interval, ratio to the reference with its
// interval), the first with peak memory and failures; then what must be known to read the numbers
// (emulation, few trials, drift), and what was skipped or failed and why. VM rows name their
// accelerator. Names from the document can't steer the terminal.
[[nodiscard]] std::string to_table(const Document& document, const TableOptions& options);

// Target by target, for each headline metric and memory: both medians, the change from A to B with
// its 95 % interval, and a verdict. The runs weren't interleaved, so samples are compared unpaired
// (Mann-Whitney), and what differs between the machines stands above the table. What only one of
// the documents has is named beneath. `options.reference` has no meaning here.
[[nodiscard]] std::string compare_table(const Document& a, const Document& b,
                                        const TableOptions& options);

}  // namespace strata::bench
