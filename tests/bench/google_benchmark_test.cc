#include "bench/google_benchmark.h"

#include <gmock/gmock.h>

#include "bench/result.h"
#include "tests/support/environment.h"
#include "tests/support/matchers.h"

namespace strata::bench {
namespace {

using strata::testing::FailsWith;
using ::testing::ElementsAre;
using ::testing::Pair;

// As the user guide shows it (docs/user_guide.md, "Output Formats"), with repetitions.
constexpr const char* kOutput = R"({
  "context": {
    "date": "2026-01-31T12:00:00+00:00", "host_name": "example", "executable": "./build/union_bench",
    "num_cpus": 40, "mhz_per_cpu": 2801, "cpu_scaling_enabled": false, "caches": [],
    "load_avg": [1.5, 1.0, 0.5], "library_build_type": "release"
  },
  "benchmarks": [
    {"name": "BM_SetInsert/1024", "run_name": "BM_SetInsert/1024", "run_type": "iteration",
     "repetitions": 2, "repetition_index": 0, "threads": 1, "iterations": 94877,
     "real_time": 29.275, "cpu_time": 29.836, "time_unit": "us",
     "bytes_per_second": 134066, "hits": 7},
    {"name": "BM_SetInsert/1024", "run_name": "BM_SetInsert/1024", "run_type": "iteration",
     "repetitions": 2, "repetition_index": 1, "threads": 1, "iterations": 94877,
     "real_time": 30, "cpu_time": 30, "time_unit": "us"},
    {"name": "BM_SetInsert/1024_mean", "run_name": "BM_SetInsert/1024", "run_type": "aggregate",
     "aggregate_name": "mean", "real_time": 29.6, "cpu_time": 29.9, "time_unit": "us"},
    {"name": "BM_Broken", "run_name": "BM_Broken", "run_type": "iteration", "repetition_index": 0,
     "error_occurred": true, "error_message": "no such device", "iterations": 0,
     "real_time": 0, "cpu_time": 0, "time_unit": "ns"}
  ]
})";

TEST(GoogleBenchmark, IterationsBecomeSamples) {
  STRATA_ASSERT_OK(const Document document, from_json(kOutput, "gb.json"));
  EXPECT_EQ(document.run.suite, "union_bench");
  EXPECT_EQ(document.context.cpu.logical_count, 40);
  ASSERT_EQ(document.targets.size(), 2U);
  EXPECT_EQ(document.targets[0].name, "BM_SetInsert/1024");
  EXPECT_EQ(document.targets[0].kind, "benchmark");
  EXPECT_EQ(document.targets[0].trials, 2);
  EXPECT_EQ(document.targets[1].availability, Availability::kFailed);
  EXPECT_EQ(document.targets[1].reason, "no such device");
  ASSERT_EQ(document.samples.size(), 3U);
  EXPECT_THAT(
      document.samples[0].metrics,
      ElementsAre(Pair("bytes_per_second", 134066), Pair("cpu_ns", 29836), Pair("hits_count", 7),
                  Pair("iterations_count", 94877), Pair("wall_ns", 29275)));
  EXPECT_EQ(document.samples[1].round, 1);
  EXPECT_FALSE(document.samples[2].ok);
}

TEST(GoogleBenchmark, WhatItBecomesCanBeWritten) {
  STRATA_ASSERT_OK(const Document document, from_json(kOutput, "gb.json"));
  STRATA_ASSERT_OK(const Document again, from_json(to_json(document), "own.json"));
  EXPECT_EQ(again, document);
}

TEST(GoogleBenchmark, RefusesWhatItCannotRead) {
  EXPECT_THAT(from_json(R"({"benchmarks": [{"name": "a", "time_unit": "h"}]})", "gb.json"),
              FailsWith(EINVAL, "unknown unit 'h'"));
  EXPECT_THAT(from_json(R"({"benchmarks": [{}]})", "gb.json"), FailsWith(EINVAL, "has no name"));
  EXPECT_THAT(from_json(R"({"benchmarks": [7]})", "gb.json"),
              FailsWith(EINVAL, "gb.json: benchmarks[0]"));
  EXPECT_THAT(from_json(R"({"schema": "x", "benchmarks": []})", "gb.json"),
              FailsWith(EINVAL, "gb.json: benchmarks: there are no measurements"));
  EXPECT_THAT(from_json(R"({"benchmarks": [{"name": "a", "real_time": "1"}]})", "gb.json"),
              FailsWith(EINVAL, "gb.json: benchmarks[0]: real_time: unexpected string"));
  EXPECT_THAT(from_json(R"({"benchmarks": [{"name": "a", "real_time": -1}]})", "gb.json"),
              FailsWith(EINVAL, "benchmarks[0]: real_time: is negative"));
  EXPECT_THAT(from_json(R"({"benchmarks": [{"name": "a"}]})", "gb.json"),
              FailsWith(EINVAL, "benchmarks[0]: real_time: missing"));
  EXPECT_THAT(from_json(R"({"context": [], "benchmarks": []})", "gb.json"), FailsWith(EINVAL));
}

TEST(GoogleBenchmark, ReadsARealProgram) {
  STRATA_NEEDS_ROOT();
  const auto done = strata::testing::run(
      {strata::testing::own_program("strata-bench-micro"), "--benchmark_filter=^clone_bench/none",
       "--benchmark_repetitions=3", "--benchmark_min_time=0.01", "--benchmark_format=json"});
  ASSERT_EQ(done.status, 0) << done.err;
  STRATA_ASSERT_OK(const Document document, from_json(done.out, "micro.json"));
  ASSERT_EQ(document.targets.size(), 1U);
  ASSERT_EQ(document.samples.size(), 3U);
  for (const auto& sample : document.samples) EXPECT_GT(sample.metrics.at(metric::kWall), 1000);
}

}  // namespace
}  // namespace strata::bench
