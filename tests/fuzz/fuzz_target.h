// What a fuzz target gives: libFuzzer's entry point, and inputs to begin with.
//
// With clang (`cmake --preset fuzz`) targets are libFuzzer programs. Everywhere else standalone.cc
// drives them with mutations of its own for a short time, so that they are always built and run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace strata::testing {

// Good inputs, from which bad ones are made.
[[nodiscard]] std::vector<std::string> fuzz_seeds();

}  // namespace strata::testing
