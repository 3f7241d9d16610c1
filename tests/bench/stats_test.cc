#include "bench/stats.h"

#include <cmath>
#include <random>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/bench/python.h"

namespace strata::bench {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

// Start-up times: a floor and a long tail.
std::vector<double> skewed(std::mt19937_64& random, size_t n, double scale = 1e6) {
  std::vector<double> values(n);
  std::lognormal_distribution<double> tail(0, 0.5);
  for (double& value : values) value = scale * (1 + tail(random));
  return values;
}

std::string as_text(const std::vector<double>& values) {
  std::ostringstream text;
  text.precision(17);
  for (const double value : values) text << value << ' ';
  return text.str();
}

TEST(Stats, QuantilesAreThoseOfPython) {
  STRATA_NEEDS(testing::lacks_python("statistics"));
  std::mt19937_64 random(1);
  for (const size_t n : {2U, 3U, 10U, 61U}) {
    auto values = skewed(random, n);
    std::istringstream expected(testing::python(R"(
import statistics, sys
values = [float(v) for v in sys.stdin.read().split()]
print(*(repr(q) for q in statistics.quantiles(values, n=40, method="inclusive")))
print(repr(statistics.median(values)))
)",
                                                as_text(values)));
    const double middle = median(values);
    std::sort(values.begin(), values.end());
    double value = 0;
    for (int i = 1; i < 40; ++i) {
      expected >> value;
      EXPECT_NEAR(quantile(values, i / 40.0), value, 1e-6) << n << ", " << i;
    }
    expected >> value;
    EXPECT_DOUBLE_EQ(middle, value);
  }
}

TEST(Stats, MedianAndMadByHand) {
  EXPECT_EQ(median({7}), 7);
  EXPECT_EQ(median({1, 3}), 2);
  EXPECT_EQ(median({9, 1, 5}), 5);
  EXPECT_EQ(median_absolute_deviation({1, 1, 2, 2, 4, 6, 9}), 1);
  EXPECT_EQ(median_absolute_deviation({3, 3, 3}), 0);
}

TEST(Stats, FewSamplesShowTheirRange) {
  EXPECT_EQ(estimate_median({}), std::nullopt);
  const std::vector<double> few{5, 1, 3};
  const auto estimate = estimate_median(few);
  ASSERT_TRUE(estimate);
  EXPECT_TRUE(estimate->is_range);
  EXPECT_EQ(estimate->value, 3);
  EXPECT_EQ(estimate->interval, (Interval{1, 5}));
}

TEST(Stats, TheSameSamplesGiveTheSameInterval) {
  std::mt19937_64 random(2);
  const auto values = skewed(random, 40);
  const auto a = estimate_median(values);
  const auto b = estimate_median(values);
  EXPECT_EQ(a->interval, b->interval);
  EXPECT_FALSE(a->is_range);
  EXPECT_LE(a->interval.low, a->value);
  EXPECT_GE(a->interval.high, a->value);
}

// Multiplying all samples multiplies everything: no threshold is in seconds.
TEST(Stats, NothingDependsOnTheScale) {
  std::mt19937_64 random(3);
  const auto values = skewed(random, 30);
  auto small = values;
  for (double& value : small) value /= 1024;  // exact
  const auto a = estimate_median(values);
  const auto b = estimate_median(small);
  EXPECT_DOUBLE_EQ(a->interval.low, b->interval.low * 1024);
  EXPECT_DOUBLE_EQ(a->interval.high, b->interval.high * 1024);
  EXPECT_EQ(find_outliers(values), find_outliers(small));
}

// An interval that is said to hold the median in 95 % of cases does so.
TEST(Stats, IntervalsHoldTheMedianAsOftenAsTheySay) {
  constexpr int kRuns = 400;
  constexpr double kTrueMedian = 2e6;  // 1 + the lognormal's median of 1
  std::mt19937_64 random(4);
  int held = 0;
  for (int i = 0; i < kRuns; ++i) {
    const auto interval = estimate_median(skewed(random, 25))->interval;
    if (interval.low <= kTrueMedian && kTrueMedian <= interval.high) ++held;
  }
  EXPECT_GE(held, kRuns * 0.91);
  EXPECT_LE(held, kRuns * 0.99);
}

TEST(Stats, RatiosOfIndependentSamples) {
  std::mt19937_64 random(5);
  const auto a = skewed(random, 60, 2e6);
  const auto b = skewed(random, 60, 1e6);
  const auto ratio = estimate_ratio(a, b);
  ASSERT_TRUE(ratio);
  EXPECT_NEAR(ratio->value, 2, 0.3);
  EXPECT_LT(ratio->interval.low, 2);
  EXPECT_GT(ratio->interval.high, 2);
  EXPECT_EQ(estimate_ratio({}, b), std::nullopt);
  EXPECT_EQ(estimate_ratio(a, std::vector<double>{0, 0}), std::nullopt);
  const std::vector<double> two{2, 4};
  const std::vector<double> one{1, 2};
  EXPECT_EQ(estimate_ratio(two, one)->interval, (Interval{1, 4}));
  EXPECT_TRUE(estimate_ratio(two, one)->is_range);
}

TEST(Stats, SignTestByHand) {
  // Six of six on one side: 2 / 2^6.
  EXPECT_NEAR(sign_test_p(std::vector<double>{2, 2, 2, 2, 2, 2}, 1), 0.03125, 1e-12);
  // Nine of ten: 2 (1 + 10) / 2^10.
  EXPECT_NEAR(sign_test_p(std::vector<double>{2, 2, 2, 2, 2, 2, 2, 2, 2, 0}, 1), 22.0 / 1024,
              1e-12);
  EXPECT_EQ(sign_test_p(std::vector<double>{1, 1}, 1), 1);
  EXPECT_EQ(sign_test_p({}, 1), 1);
  EXPECT_EQ(sign_test_p(std::vector<double>{0, 2}, 1), 1);
  EXPECT_LT(sign_test_p(std::vector<double>(5000, 2.0), 1), 1e-300);
}

TEST(Stats, MannWhitneyAsScipyDocumentsIt) {
  // scipy.stats.mannwhitneyu's example: exact p = 0.1111…
  const std::vector<double> males{19, 22, 16, 29, 24};
  const std::vector<double> females{20, 11, 17, 12};
  EXPECT_NEAR(mann_whitney_p(males, females), 1.0 / 9, 1e-12);
  EXPECT_NEAR(mann_whitney_p(females, males), 1.0 / 9, 1e-12);
  // Three below three: 2 / C(6, 3).
  EXPECT_NEAR(mann_whitney_p(std::vector<double>{1, 2, 3}, std::vector<double>{4, 5, 6}), 0.1,
              1e-12);
  EXPECT_EQ(mann_whitney_p({}, females), 1);
  const std::vector<double> equal{5, 5, 5};
  EXPECT_EQ(mann_whitney_p(equal, equal), 1);
}

TEST(Stats, MannWhitneyIsExactForSmallSamples) {
  STRATA_NEEDS(testing::lacks_python("itertools"));
  const std::vector<double> a{1.5, 2.5, 9, 10, 3.7};
  const std::vector<double> b{2, 3, 4, 5, 6, 7};
  // Every way to choose which ranks are a's.
  const std::string p = testing::python(R"(
import itertools
a, b = [1.5, 2.5, 9, 10, 3.7], [2, 3, 4, 5, 6, 7]
order = sorted(a + b)
rank = lambda xs: sum(order.index(x) + 1 for x in xs)
centre = len(a) * (len(a) + len(b) + 1) / 2
ways = [sum(c) for c in itertools.combinations(range(1, 12), 5)]
print(sum(abs(w - centre) >= abs(rank(a) - centre) for w in ways) / len(ways))
)");
  EXPECT_NEAR(mann_whitney_p(a, b), std::stod(p), 1e-12);
}

TEST(Stats, MannWhitneyWithTiesByHand) {
  // a's ranks 1.5, 1.5, 3.5, 5.5: U = 2 of 20. Four pairs of ties.
  const std::vector<double> a{1, 1, 2, 3};
  const std::vector<double> b{2, 3, 4, 4, 5};
  const double deviation = std::sqrt(4 * 5 / 12.0 * (10 - 4 * 6 / (9 * 8.0)));
  const double z = (std::abs(2 - 10.0) - 0.5) / deviation;
  EXPECT_NEAR(mann_whitney_p(a, b), std::erfc(z / std::sqrt(2)), 1e-12);
  EXPECT_NEAR(mann_whitney_p(a, b), 0.0617, 0.0001);
}

TEST(Stats, ATestFindsNothingInNoiseAsOftenAsItShould) {
  std::mt19937_64 random(7);
  int found = 0;
  for (int i = 0; i < 400; ++i)
    if (mann_whitney_p(skewed(random, 15), skewed(random, 15)) < 0.05) ++found;
  EXPECT_LE(found, 34);  // 20 expected; 34 is three deviations up
}

TEST(Stats, OutliersAreFoundBelowAMillisecond) {
  std::vector<double> values{500, 505, 498, 502, 501, 499, 503, 900};  // ns
  EXPECT_THAT(find_outliers(values), ElementsAre(0, 0, 0, 0, 0, 0, 0, 1));
  values.back() = 510;
  EXPECT_THAT(find_outliers(values), Each(false));
}

TEST(Stats, AClocksStepsAreNoOutliers) {
  // The median deviation is zero; one step of 1 % is not far.
  EXPECT_THAT(find_outliers(std::vector<double>{100, 100, 100, 100, 100, 101}), Each(false));
  EXPECT_THAT(find_outliers(std::vector<double>{100, 100, 100, 100, 100, 104}),
              ElementsAre(0, 0, 0, 0, 0, 1));
  EXPECT_THAT(find_outliers({}), ElementsAre());
}

}  // namespace
}  // namespace strata::bench
