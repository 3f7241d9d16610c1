// The commands of strata-probe: each registers its options into a struct and calls one library
// function. Arguments and printing only.
//
// Private: included only by the .cc files of this folder.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "unionfs/base/result.h"

namespace strata::probes::cli {

// The work, called after parsing; returns the exit status.
using Action = std::function<Result<int>()>;

// Exit statuses of our own errors: `run` follows docker and env(1), so that they are told from the
// command's.
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kRunFailure = 125;

[[nodiscard]] Action add_run(CLI::App& app);
[[nodiscard]] Action add_list(CLI::App& app);
[[nodiscard]] Action add_check(CLI::App& app);

// What is printed when a command could not be executed: "strata-probe: error: …".
inline constexpr const char* kProgram = "strata-probe";

}  // namespace strata::probes::cli
