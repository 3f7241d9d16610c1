// How a command of a strata program is made: one file a command, `cmd_<verb>.cc`, which registers
// its options into a struct and calls one library function. Arguments and printing only.
//
// Included by the cmd_*.cc files only.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

#include <CLI/CLI.hpp>

#include "unionfs/base/result.h"

namespace strata::cli {

// What stands before the verb.
struct Globals {
  std::filesystem::path root;  // --root, $STRATA_ROOT, or /var/lib/strata
};

// The work, called after parsing; returns the exit status.
using Action = std::function<Result<int>(const Globals&)>;

// Exit statuses of our own errors. The run family follows docker: 125 for an error of the
// runtime (usage included), 126 for a command that can't be executed, 127 for one not found.
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;
inline constexpr int kRuntimeFailure = 125;

struct Command {
  std::string_view verb;
  // Adds options to `app` and returns the action. Options live in a std::shared_ptr that the
  // action captures.
  Action (*add)(CLI::App& app);
  // If given, called before anything else, with main()'s arguments.
  Result<void> (*first)(char* const* argv) = nullptr;
  // For commands of a program that is itself a verb ("strata vm run"): what verbs.h says of others.
  std::string_view summary = {};
  int failure_status = kFailure;
};

// For commands that work on several objects and go on after one has failed: prints the error, as
// run_program() does with the one that an action returns.
void report(const Error& error);

// Parses, dispatches, prints errors once, returns the exit status. Only the chosen command's
// options are built: start-up time is part of what this project measures. Verbs of other programs
// (verbs.h) are executed in place of this one.
[[nodiscard]] int run_program(std::string_view program, std::span<const Command> commands, int argc,
                              char** argv);

}  // namespace strata::cli
