#include "bench/schedule.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>

namespace strata::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// Rounds of kept trials in which `target` takes part.
std::vector<int> rounds_of(const std::vector<Round>& schedule, size_t target) {
  std::vector<int> rounds;
  for (const auto& round : schedule)
    if (!round.warmup && std::ranges::count(round.order, target) > 0)
      rounds.push_back(round.number);
  return rounds;
}

std::vector<std::vector<size_t>> orders(const std::vector<Round>& schedule) {
  std::vector<std::vector<size_t>> all;
  for (const auto& round : schedule) all.push_back(round.order);
  return all;
}

TEST(Schedule, EveryRoundRunsEveryTargetOnce) {
  const auto schedule = make_schedule({{10, 0}, {10, 0}, {10, 0}}, 1);
  ASSERT_EQ(schedule.size(), 10U);
  for (const auto& round : schedule) EXPECT_THAT(round.order, UnorderedElementsAre(0, 1, 2));
}

TEST(Schedule, OrderComesFromTheSeedAlone) {
  const std::vector<Budget> budgets{{20, 2}, {20, 2}, {5, 1}};
  EXPECT_EQ(orders(make_schedule(budgets, 7)), orders(make_schedule(budgets, 7)));
  EXPECT_NE(orders(make_schedule(budgets, 7)), orders(make_schedule(budgets, 8)));
}

// Written down, so that a change of the drawing (or of a standard library) can't go unseen: a seed
// in an old result has to mean the same order.
TEST(Schedule, OrderOfASeedStaysWhatItWas) {
  const auto schedule = make_schedule({{3, 0}, {3, 0}, {3, 0}, {3, 0}}, 42);
  EXPECT_THAT(orders(schedule), ElementsAre(ElementsAre(1, 0, 3, 2), ElementsAre(1, 0, 3, 2),
                                            ElementsAre(1, 2, 3, 0)));
}

TEST(Schedule, AllPositionsAreAboutEquallyLikely) {
  std::map<size_t, int> first;
  for (const auto& round : make_schedule({{3000, 0}, {3000, 0}, {3000, 0}}, 3))
    ++first[round.order.front()];
  for (const auto& [target, count] : first) EXPECT_NEAR(count, 1000, 100) << target;
}

TEST(Schedule, FewTrialsLieEvenlyOverTheRun) {
  const auto schedule = make_schedule({{20, 0}, {4, 0}, {1, 0}, {3, 0}}, 1);
  EXPECT_THAT(rounds_of(schedule, 1), ElementsAre(2, 7, 12, 17));
  EXPECT_THAT(rounds_of(schedule, 2), ElementsAre(9));
  EXPECT_THAT(rounds_of(schedule, 3), ElementsAre(3, 9, 16));
}

TEST(Schedule, WarmUpsComeFirstAndAreMarked) {
  const auto schedule = make_schedule({{2, 3}, {2, 1}}, 1);
  ASSERT_EQ(schedule.size(), 5U);
  EXPECT_THAT(schedule[0].order, ElementsAre(0));
  EXPECT_THAT(schedule[1].order, ElementsAre(0));
  EXPECT_THAT(schedule[2].order, UnorderedElementsAre(0, 1));
  for (const auto& round : schedule) EXPECT_EQ(round.warmup, round.number < 3);
}

TEST(Schedule, NothingToDo) {
  EXPECT_TRUE(make_schedule({}, 1).empty());
  EXPECT_TRUE(make_schedule({{0, 0}}, 1).empty());
}

}  // namespace
}  // namespace strata::bench
