// union-differential: the engine against the kernel's overlayfs, for a given time or count.
//
//   union-differential [--seconds N] [--operations N] [--seed N]
//
// Ends with 1 at the first difference, after printing the shortest case that shows it.
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/support/environment.h"
#include "tests/support/temp_dir.h"
#include "tests/unionfs/differential/differential.h"

int main(int argc, char** argv) {
  using Clock = std::chrono::steady_clock;
  using namespace strata::testing;
  constexpr int kOperationsPerCase = 100;
  auto seconds = std::chrono::seconds::max();
  long operations = 100'000;
  uint64_t seed = 1;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const long value = std::atol(argv[i + 1]);
    if (name == "--seconds") {
      seconds = std::chrono::seconds(value);
      operations = 1L << 40;
    } else if (name == "--operations") {
      operations = value;
    } else if (name == "--seed") {
      seed = static_cast<uint64_t>(value);
    } else {
      std::fprintf(stderr, "union-differential [--seconds N] [--operations N] [--seed N]\n");
      return 2;
    }
  }
  if (!enter_private_namespaces()) {
    std::fprintf(stderr, "union-differential: needs root and a mount namespace of its own\n");
    return 2;
  }
  ::umask(0);
  const TempDir scratch;
  const auto end =
      seconds == std::chrono::seconds::max() ? Clock::time_point::max() : Clock::now() + seconds;
  long done = 0;
  for (; done < operations && Clock::now() < end; done += kOperationsPerCase, ++seed) {
    const Case input = random_case(seed, kOperationsPerCase);
    const std::string differs = run_case(input, scratch.path());
    if (differs.empty()) continue;
    std::printf("seed %llu after %ld operations\n", static_cast<unsigned long long>(seed), done);
    const Case small = shrink(input, scratch.path());
    std::printf("%s%s", to_text(small).c_str(), run_case(small, scratch.path()).c_str());
    return 1;
  }
  std::printf("%ld operations, no difference\n", done);
  return 0;
}
