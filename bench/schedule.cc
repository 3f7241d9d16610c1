#include "bench/schedule.h"

#include <algorithm>
#include <random>
#include <utility>

namespace strata::bench {
namespace {

// Fisher-Yates with a draw of our own: std::shuffle and std::uniform_int_distribution give
// different orders with different standard libraries.
void shuffle(std::vector<size_t>& order, std::mt19937_64& generator) {
  for (size_t left = order.size(); left > 1; --left) {
    // Draws that would make some positions likelier than others are thrown away.
    const uint64_t fair = generator.max() - generator.max() % left;
    uint64_t draw = generator();
    while (draw >= fair) draw = generator();
    std::swap(order[left - 1], order[draw % left]);
  }
}

// Whether a target with `own` trials takes part in round `round` of `rounds`: Bresenham's line, so
// that its trials lie as evenly as they can.
bool takes_part(int own, int round, int rounds) {
  const auto reached = [&](int64_t r) { return (r * own + rounds / 2) / rounds; };
  return reached(round + 1) > reached(round);
}

}  // namespace

std::vector<Round> make_schedule(const std::vector<Budget>& budgets, uint64_t seed) {
  int trials = 0;
  int warmups = 0;
  for (const auto& budget : budgets) {
    trials = std::max(trials, budget.trials);
    warmups = std::max(warmups, budget.warmups);
  }
  std::mt19937_64 generator(seed);
  std::vector<Round> rounds;
  for (int number = 0; number < warmups + trials; ++number) {
    Round round{.number = number, .warmup = number < warmups, .order = {}};
    for (size_t target = 0; target < budgets.size(); ++target) {
      const bool in = round.warmup ? warmups - number <= budgets[target].warmups
                                   : takes_part(budgets[target].trials, number - warmups, trials);
      if (in) round.order.push_back(target);
    }
    shuffle(round.order, generator);
    rounds.push_back(std::move(round));
  }
  return rounds;
}

}  // namespace strata::bench
