#include <gmock/gmock.h>

#include "bench/export/csv.h"
#include "bench/export/format.h"
#include "bench/export/table.h"
#include "tests/bench/python.h"
#include "tests/bench/sample_document.h"
#include "tests/support/matchers.h"

namespace strata::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::sample_document;

TEST(Format, ThreeDigitsInAUnitThatFits) {
  EXPECT_EQ(format_value("x_ns", 0), "0 ns");
  EXPECT_EQ(format_value("x_ns", 12), "12 ns");
  EXPECT_EQ(format_value("x_ns", 12.345), "12.3 ns");
  EXPECT_EQ(format_value("x_ns", 5312), "5.31 µs");
  EXPECT_EQ(format_value("x_ns", 53120), "53.1 µs");
  EXPECT_EQ(format_value("x_ns", 999'400), "999 µs");
  EXPECT_EQ(format_value("x_ns", 999'600), "1.00 ms");
  EXPECT_EQ(format_value("x_ns", 99.96e6), "100 ms");
  EXPECT_EQ(format_value("x_ns", 1.5e9), "1.50 s");
  EXPECT_EQ(format_value("x_ns", 3600e9), "3600 s");
  EXPECT_EQ(format_value("x_bytes", 5'800'000), "5.80 MB");
  EXPECT_EQ(format_value("x_per_second", 1.2e6), "1.20 M/s");
  EXPECT_EQ(format_value("x_count", 17), "17");
  EXPECT_EQ(format_value("x_ns", -1500), "-1.50 µs");
}

TEST(Format, IntervalsRatiosChanges) {
  EXPECT_EQ(format_interval("x_ns", {1.5e6, 2e6}), "1.50 – 2.00 ms");
  EXPECT_EQ(format_interval("x_ns", {550e3, 1.79e6}), "550 µs – 1.79 ms");
  EXPECT_EQ(format_ratio(0.0512), "0.051×");
  EXPECT_EQ(format_ratio(0.9996), "1.00×");
  EXPECT_EQ(format_ratio(12.34), "12.3×");
  EXPECT_EQ(format_ratio(312.4), "312×");
  EXPECT_EQ(format_ratio_interval({0.92, 0.97}), "[0.920 – 0.970]");
  EXPECT_EQ(format_change(1.034), "+3.4 %");
  EXPECT_EQ(format_change(0.5), "-50 %");
  EXPECT_EQ(format_change(0.99999), "0 %");
  EXPECT_EQ(format_change_interval({0.961, 1.2}), "[-3.9 % to +20 %]");
}

TEST(Format, VerdictsSayWhatIsBetter) {
  EXPECT_EQ(verdict_text("x_ns", Verdict::kLower), "faster");
  EXPECT_EQ(verdict_text("x_per_second", Verdict::kLower), "slower");
  EXPECT_EQ(verdict_text("x_bytes", Verdict::kHigher), "more");
}

TEST(Table, ShowsEachTargetInARow) {
  const std::string table = to_table(sample_document(), {});
  EXPECT_THAT(table, HasSubstr("start to first instruction\n  target "));
  EXPECT_THAT(table, HasSubstr("ratio to crun"));
  EXPECT_THAT(table, HasSubstr("\n  vm-microvm (tcg)   3 "));
  EXPECT_THAT(table, HasSubstr("tcg: the guest's CPU was emulated in software"));
  EXPECT_THAT(table, HasSubstr("*: fewer than 6 trials"));
  EXPECT_THAT(table, HasSubstr("drift: start to first instruction of runc changed by +2"));
  EXPECT_THAT(table, HasSubstr("\nskipped kvm-floor: /dev/kvm: Permission denied\n"));
  EXPECT_THAT(table, HasSubstr("\nfailed docker: stopped after 3 failed trials"));
  EXPECT_THAT(table, HasSubstr("\nskipped probe startup of podman: the trace buffer was full"));
  EXPECT_THAT(table, Not(HasSubstr("\033")));
}

TEST(Table, ColumnsLineUp) {
  const std::string table = to_table(sample_document(), {.unicode = false});
  std::istringstream lines(table);
  size_t ends = 0;
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    for (const char c : line) ASSERT_LT(static_cast<unsigned char>(c), 128) << line;
    const auto memory = line.find(" MB");
    if (memory == std::string::npos) continue;
    if (ends == 0) ends = memory;
    EXPECT_EQ(memory, ends) << line;
  }
  EXPECT_NE(ends, 0U);
}

TEST(Table, NamesCannotSteerTheTerminal) {
  Document document = sample_document();
  document.targets[0].description = "x";
  document.targets.back().reason = "\033]0;owned\a\r\nfailed strata: no";
  const std::string table = to_table(document, {});
  EXPECT_THAT(table, HasSubstr("failed docker: ?]0;owned???failed strata: no\n"));
}

TEST(Table, AnEmptyDocumentSaysSo) {
  EXPECT_EQ(to_table(Document(), {}), "no trial gave a figure\n");
}

TEST(Table, ColoursOnRequest) {
  EXPECT_THAT(to_table(sample_document(), {.colour = true}),
              HasSubstr("\033[1mstart to first instruction\033[0m\n"));
}

TEST(Comparison, SaysWhatChanged) {
  const Document a = sample_document(1);
  Document b = sample_document(2, 0.8);
  b.context.kernel.release = "6.1.0";
  b.targets.erase(b.targets.begin());
  std::erase_if(b.samples, [](const Sample& sample) { return sample.target == "process"; });
  const std::string text = compare_table(a, b, {});
  EXPECT_THAT(text, HasSubstr("A: startup, 2026-01-31T12:00:00Z, sample 1\n"));
  EXPECT_THAT(text, HasSubstr("not the same: kernel: 6.18.5 and 6.1.0\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("strata +60 .*-2[0-9] % .*<0.001  faster"));
  EXPECT_THAT(text, ::testing::ContainsRegex("vm-q35 \\(tcg\\) .* too few trials to tell"));
  EXPECT_THAT(text, HasSubstr("\nonly in A: process\n"));
}

TEST(Comparison, TheSameIsNoDifference) {
  const Document a = sample_document(1);
  const std::string text = compare_table(a, a, {});
  EXPECT_THAT(text, Not(HasSubstr("faster")));
  EXPECT_THAT(text, Not(HasSubstr("slower")));
  EXPECT_THAT(text, Not(HasSubstr("not the same")));
}

// Python's csv module reads the file as it was meant.
TEST(Csv, HoldsEverySampleAsJsonDoes) {
  STRATA_NEEDS(testing::lacks_python("csv"));
  Document document = sample_document();
  document.run.label = "says \"hello\", twice\r\nand more";
  document.samples[3].error = "a,b";
  document.samples[3].metrics["rate_per_second"] = 0.1;
  const std::string csv = to_csv(document);
  EXPECT_THAT(csv, ::testing::StartsWith("run_id,suite,label,start_utc,target,kind,accelerator,"
                                         "round,order,warmup,started_ns,exit_status,ok,error,"
                                         "first_byte_ns,exit_ns,peak_rss_bytes,user_ns,sys_ns,"
                                         "rate_per_second\r\n"));
  testing::python(R"(
import csv, json, io, sys
text, document = sys.stdin.buffer.read().decode().split("\0")
document = json.loads(document)
rows = list(csv.DictReader(io.StringIO(text, newline="")))
assert len(rows) == len(document["samples"]), len(rows)
targets = {t["name"]: t for t in document["targets"]}
for row, sample in zip(rows, document["samples"]):
    assert row["label"] == document["run"]["label"], row
    assert row["target"] == sample["target"]
    assert row["accelerator"] == targets[sample["target"]].get("accelerator", "")
    assert row["error"] == sample.get("error", "")
    assert row["warmup"] == str(sample.get("warmup", False)).lower()
    for field in ("round", "order", "started_ns", "exit_status"):
        assert int(row[field]) == sample[field]
    for metric in ("first_byte_ns", "exit_ns", "peak_rss_bytes", "user_ns", "sys_ns"):
        value = sample["metrics"].get(metric)
        assert row[metric] == ("" if value is None else str(value)), row
assert rows[3]["rate_per_second"] == "0.1"
)",
                  csv + std::string(1, '\0') + to_json(document));
}

}  // namespace
}  // namespace strata::bench
