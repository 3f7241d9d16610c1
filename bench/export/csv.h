// A result document as CSV: one row a sample, RFC 4180 (CRLF, quotes doubled), a header first.
#pragma once

#include <string>

#include "bench/result.h"

namespace strata::bench {

// Columns: run_id, suite, label, start_utc, target, kind, accelerator, round, order, warmup,
// started_ns, exit_status, ok, error, then the metrics: those of a start-up suite that occur in
// their usual order, then the others by name. A metric that a sample lacks is an empty field.
// Laps and probe breakdowns are in the JSON only.
[[nodiscard]] std::string to_csv(const Document& document);

}  // namespace strata::bench
