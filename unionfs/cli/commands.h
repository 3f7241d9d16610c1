// The commands of strata-union: each registers its options into a struct and calls the library.
// Arguments and printing only.
//
// Private: included only by the .cc files of this folder.
#pragma once

#include <functional>

#include <CLI/CLI.hpp>

#include "unionfs/base/result.h"

namespace strata::unionfs::cli {

inline constexpr const char* kProgram = "strata-union";

inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;

// The work, called after parsing; returns the exit status.
using Action = std::function<Result<int>()>;

[[nodiscard]] Action add_ls(CLI::App& app);
[[nodiscard]] Action add_stat(CLI::App& app);
[[nodiscard]] Action add_lookup(CLI::App& app);
[[nodiscard]] Action add_tree(CLI::App& app);
[[nodiscard]] Action add_diff(CLI::App& app);
[[nodiscard]] Action add_verify(CLI::App& app);
[[nodiscard]] Action add_complete(CLI::App& app);
[[nodiscard]] Action add_mount(CLI::App& app);
[[nodiscard]] Action add_umount(CLI::App& app);
[[nodiscard]] Action add_pack(CLI::App& app);
[[nodiscard]] Action add_unpack(CLI::App& app);

}  // namespace strata::unionfs::cli
