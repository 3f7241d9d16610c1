// The engine against the kernel: the same operations on the same layers, once by Union, once
// through overlayfs; then what the calls said, what both show, and what each shows of the upper
// layer that the other wrote, has to be the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/unionfs/differential/operation.h"

namespace strata::testing {

// Everything that a run depends on.
struct Case {
  bool redirect_dir = false;
  // The layers, bottom first: what is done on the union of those below (the kernel's, which writes
  // the layer); the bottom one is a plain directory.
  std::vector<std::vector<Operation>> layers;
  std::vector<Operation> operations;  // on the union of all with an upper layer
};

[[nodiscard]] Case random_case(uint64_t seed, int operations);

// Runs the case in the empty directory `scratch` (a private mount namespace is needed). What
// differed; empty if nothing did. Leaves `scratch` empty.
[[nodiscard]] std::string run_case(const Case& input, const std::filesystem::path& scratch);

// A case that still fails, without the operations that don't matter.
[[nodiscard]] Case shrink(Case failing, const std::filesystem::path& scratch);

[[nodiscard]] std::string to_text(const Case& input);

}  // namespace strata::testing
