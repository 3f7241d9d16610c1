// The JSON of Google Benchmark programs as result documents. Private to bench/: shows the JSON
// library.
#pragma once

#include <string_view>

#include "bench/result.h"
#include "unionfs/base/json.h"

namespace strata::bench {

// Whether `json` looks like what --benchmark_format=json writes.
[[nodiscard]] bool is_google_benchmark(const Json& json);

// Every benchmark becomes a target of kind "benchmark", every repetition a sample (round: its
// number) with wall_ns and cpu_ns an iteration, iterations_count, and the user counters under their
// own names. Aggregates (mean, median …) are left out: they are computed from the samples.
// https://github.com/google/benchmark/blob/main/docs/user_guide.md#output-formats
[[nodiscard]] Result<Document> from_google_benchmark(const Json& json, std::string_view name);

}  // namespace strata::bench
