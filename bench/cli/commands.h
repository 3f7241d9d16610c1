// The commands of strata-bench, one file each: options are registered into a struct that the action
// captures; the action calls the library. Arguments and printing only.
//
// Included only by main.cc and the cmd_*.cc files.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "unionfs/base/result.h"

namespace strata::bench {

// What stands before the command, and how the harness was called.
struct Globals {
  std::filesystem::path root;  // the image store
  std::vector<std::string> command_line;
};

// The work, called after parsing; returns the exit status.
using Action = std::function<Result<int>(const Globals&)>;

struct Command {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App& app);
};

[[nodiscard]] Action add_run(CLI::App& app);
[[nodiscard]] Action add_list(CLI::App& app);
[[nodiscard]] Action add_report(CLI::App& app);
[[nodiscard]] Action add_compare(CLI::App& app);

}  // namespace strata::bench
