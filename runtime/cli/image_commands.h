// The commands of strata-image, one cmd_<verb>.cc each, and what they share.
#pragma once

#include <string>
#include <string_view>

#include "runtime/cli/command.h"
#include "runtime/image/ingest.h"
#include "unionfs/base/terminal.h"

namespace strata::cli {

Action add_commit(CLI::App& app);
Action add_fsck(CLI::App& app);
Action add_check(CLI::App& app);
Action add_history(CLI::App& app);
Action add_images(CLI::App& app);
Action add_import(CLI::App& app);
Action add_load(CLI::App& app);
Action add_prune(CLI::App& app);
Action add_rmi(CLI::App& app);
Action add_save(CLI::App& app);
Action add_tag(CLI::App& app);

// -a, -m, --change: what a new image says of itself.
void add_authoring_options(CLI::App& app, image::Authoring& authoring);

// --max-size: one size for all that `limits` bounds; whoever says how much may come need not be
// protected from much coming of little.
void add_max_size_option(CLI::App& app, image::Limits& limits);

// Shows on a terminal how far the work is. `progress` must outlive the report's use.
[[nodiscard]] image::Report report_to(Progress& progress);

// An archive or tar to read: a file's path, or "-" for standard input (refused with EINVAL when it
// is a terminal).
struct Input {
  UniqueFd file;  // closed with the Input; none for standard input
  int fd = -1;
  std::string name;  // for messages
};
[[nodiscard]] Result<Input> open_input(const std::string& path);

// "3f2a…": the first twelve digits of an ID, as docker shows it.
[[nodiscard]] std::string short_id(std::string_view id);

}  // namespace strata::cli
