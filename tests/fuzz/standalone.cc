// Drives a fuzz target without libFuzzer.
//
//   TARGET [--seconds N] [--seed N]    seeds and mutations of them
//   TARGET FILE…                       these inputs
//   TARGET --write-seeds DIR           seeds as files, for a libFuzzer corpus
//
// The input that ended it is in the file "crash" of the working directory.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/fuzz/fuzz_target.h"

namespace {

using Clock = std::chrono::steady_clock;

const std::string* current = nullptr;

void keep_input(int signal) {
  const int file = ::open("crash", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file >= 0 && current != nullptr) [[maybe_unused]]
    const auto kept = ::write(file, current->data(), current->size());
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void run_one(const std::string& input) {
  current = &input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

// Flips, overwrites, cuts out, doubles or swaps a piece, a few times over.
std::string mutate(std::string input, std::mt19937_64& random) {
  for (size_t rounds = 1 + random() % 4; rounds > 0 && !input.empty(); --rounds) {
    const size_t at = random() % input.size();
    const size_t length = 1 + random() % std::min<size_t>(16, input.size() - at);
    switch (random() % 6) {
      case 0:
        input[at] = static_cast<char>(input[at] ^ (1 << random() % 8));
        break;
      case 1:
        for (size_t i = 0; i < length; ++i) input[at + i] = static_cast<char>(random());
        break;
      case 2:
        input.erase(at, length);
        break;
      case 3:
        input.insert(at, input.substr(at, length));
        break;
      case 4:
        input.replace(at, length, std::string(length, random() % 2 == 0 ? '\0' : '\xff'));
        break;
      default:
        input.replace(at, length, input.substr(random() % input.size(), length));
        break;
    }
  }
  return input;
}

int write_seeds(const std::string& directory) {
  int number = 0;
  for (const std::string& seed : strata::testing::fuzz_seeds()) {
    std::ofstream out(directory + "/seed-" + std::to_string(number++), std::ios::binary);
    out << seed;
    if (!out.flush()) {
      std::fprintf(stderr, "%s: can't be written\n", directory.c_str());
      return 1;
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) ::signal(signal, keep_input);
  long seconds = 2;
  uint64_t first_seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--write-seeds" && i + 1 < argc) return write_seeds(argv[i + 1]);
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::atol(argv[++i]);
    } else if (argument == "--seed" && i + 1 < argc) {
      first_seed = static_cast<uint64_t>(std::atoll(argv[++i]));
    } else {
      std::ifstream in(argument, std::ios::binary);
      run_one({std::istreambuf_iterator<char>(in), {}});
      seconds = 0;
    }
  }
  if (seconds == 0) return 0;
  const std::vector<std::string> seeds = strata::testing::fuzz_seeds();
  for (const std::string& seed : seeds) run_one(seed);
  std::mt19937_64 random(first_seed);
  long runs = 0;
  for (const auto end = Clock::now() + std::chrono::seconds(seconds); Clock::now() < end; ++runs)
    run_one(mutate(seeds[random() % seeds.size()], random));
  std::printf("%ld inputs\n", runs);
  return 0;
}
