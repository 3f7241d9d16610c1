// What the page's scripts draw: the documents as they are, and beside them what bench/summary.h
// makes of them, numbers and their text, so that page and terminal say the same. Private to
// bench/report.
//
// Thread rule: any thread.
#pragma once

#include <span>
#include <string>

#include "bench/report/report.h"
#include "bench/result.h"

namespace strata::bench {

// JSON text: {charts_missing, runs: [{document, csv, file_name, reference, targets, metrics,
// notes}], comparison: {runs, differences, metrics} or null}.
[[nodiscard]] std::string page_data(std::span<const Document> documents,
                                    const ReportOptions& options);

// "2026-01-31 12:00 UTC, sample 1": which run.
[[nodiscard]] std::string run_title(const Run& run);

}  // namespace strata::bench
