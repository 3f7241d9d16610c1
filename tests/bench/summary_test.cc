#include "bench/summary.h"

#include <gmock/gmock.h>

#include "bench/metric.h"
#include "tests/bench/sample_document.h"

namespace strata::bench {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::sample_document;

Sample sample(const char* target, int round, double exit_ns) {
  Sample made;
  made.target = target;
  made.round = round;
  made.order = round * 10;
  made.metrics[metric::kExit] = exit_ns;
  return made;
}

Document two_targets() {
  Document document;
  document.run.reference = "b";
  for (const char* name : {"a", "b"}) {
    Target target;
    target.name = name;
    document.targets.push_back(target);
  }
  return document;
}

const Row& row_of(const Summary& summary, std::string_view metric, std::string_view target) {
  static const Row kNone;
  for (const auto& table : summary.metrics)
    for (const auto& row : table.rows)
      if (table.metric == metric && row.target == target) return row;
  ADD_FAILURE() << metric << " of " << target << " is missing";
  return kNone;
}

TEST(Summary, LeavesWarmUpsAndFailuresOut) {
  Document document = two_targets();
  document.samples = {sample("a", 0, 1), sample("a", 1, 10), sample("a", 2, 20),
                      sample("a", 3, 1000)};
  document.samples[0].warmup = true;
  document.samples[3].ok = false;
  EXPECT_THAT(values_of(document, "a", metric::kExit), ElementsAre(10, 20));
  EXPECT_EQ(row_of(summarise(document), metric::kExit, "a").median.value, 15);
  const Counts counts = count_samples(document, "a");
  EXPECT_EQ(counts.counted, 2U);
  EXPECT_EQ(counts.failed, 1U);
  EXPECT_EQ(counts.warmups, 1U);
}

// The machine slows down tenfold after the second round: pairs don't see it, medians of all do.
TEST(Summary, PairsSurviveADriftingMachine) {
  Document document = two_targets();
  for (int round = 0; round < 8; ++round) {
    const double machine = round < 2 ? 1 : 10;
    document.samples.push_back(sample("a", round, 200 * machine));
    // b misses its first rounds, so that its median is of the slow machine only
    if (round >= 1) document.samples.push_back(sample("b", round, 100 * machine));
  }
  EXPECT_THAT(paired_ratios(document, "a", "b", metric::kExit), ElementsAre(2, 2, 2, 2, 2, 2, 2));
  const Row row = row_of(summarise(document), metric::kExit, "a");
  ASSERT_TRUE(row.to_reference);
  EXPECT_TRUE(row.to_reference->paired);
  EXPECT_EQ(row.to_reference->ratio.value, 2);
  EXPECT_EQ(row.to_reference->verdict, Verdict::kHigher);
  EXPECT_FALSE(row_of(summarise(document), metric::kExit, "b").to_reference);
}

TEST(Summary, WithoutCommonRoundsAllSamplesAreCompared) {
  Document document = two_targets();
  for (int round = 0; round < 10; ++round)
    document.samples.push_back(sample(round < 5 ? "a" : "b", round, round < 5 ? 50 : 100));
  const Row row = row_of(summarise(document), metric::kExit, "a");
  ASSERT_TRUE(row.to_reference);
  EXPECT_FALSE(row.to_reference->paired);
  EXPECT_EQ(row.to_reference->ratio.value, 0.5);
  EXPECT_EQ(row.to_reference->verdict, Verdict::kTooFew);
}

TEST(Summary, NoiseIsNoDifference) {
  Document document = two_targets();
  for (int round = 0; round < 20; ++round) {
    document.samples.push_back(sample("a", round, round % 2 == 0 ? 100 : 110));
    document.samples.push_back(sample("b", round, round % 2 == 0 ? 110 : 100));
  }
  EXPECT_EQ(row_of(summarise(document), metric::kExit, "a").to_reference->verdict,
            Verdict::kNoDifference);
}

TEST(Summary, AReaderMayChooseTheReference) {
  const Document document = sample_document();
  EXPECT_EQ(summarise(document).reference, "crun");
  EXPECT_EQ(summarise(document, "runc").reference, "runc");
  EXPECT_EQ(summarise(document, "nothing").reference, "");
}

TEST(Summary, SaysWhatTheSampleDocumentHolds) {
  const Document document = sample_document();
  const Summary summary = summarise(document);
  const Row& runc = row_of(summary, metric::kExit, "runc");
  ASSERT_TRUE(runc.drift);
  EXPECT_NEAR(*runc.drift, 1.2, 0.05);
  EXPECT_FALSE(row_of(summary, metric::kExit, "strata").drift);
  // The outlier of round 40 is among crun's.
  bool found = false;
  for (const int order : row_of(summary, metric::kExit, "crun").outliers) {
    const auto& outlier = document.samples.at(static_cast<size_t>(order));
    EXPECT_EQ(outlier.target, "crun");
    found = found || outlier.round == 40;
  }
  EXPECT_TRUE(found);
  EXPECT_TRUE(row_of(summary, metric::kExit, "vm-q35").median.is_range);
  const auto& strata = row_of(summary, metric::kExit, "strata").to_reference;
  ASSERT_TRUE(strata);
  EXPECT_EQ(strata->verdict, Verdict::kLower);
  EXPECT_NEAR(strata->ratio.value, 4.6 / 5.9, 0.03);
}

TEST(Summary, NamesWhatDiffersBetweenMachines) {
  const Context a = sample_document().context;
  EXPECT_THAT(differences(a, a), IsEmpty());
  Context b = a;
  b.kernel.release = "6.1.0";
  b.cpu.governor = "powersave";
  EXPECT_THAT(differences(a, b),
              ElementsAre("kernel: 6.18.5 and 6.1.0", "governor: unknown and powersave"));
}

TEST(Metric, OrderIsThatOfTheSuiteThenByName) {
  Document document = two_targets();
  document.samples = {sample("a", 0, 1)};
  document.samples[0].metrics["zebra_ns"] = 1;
  document.samples[0].metrics["ape_ns"] = 1;
  document.samples[0].metrics[metric::kFirstByte] = 1;
  EXPECT_THAT(metric_names(document),
              ElementsAre(metric::kFirstByte, metric::kExit, "ape_ns", "zebra_ns"));
  EXPECT_EQ(unit_of("ape_ns"), Unit::kNanoseconds);
  EXPECT_EQ(unit_of("ape_bytes_per_second"), Unit::kPerSecond);
  EXPECT_TRUE(higher_is_better("ape_bytes_per_second"));
}

}  // namespace
}  // namespace strata::bench
