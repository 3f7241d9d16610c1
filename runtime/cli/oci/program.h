// The frame of strata-oci: global options, dispatch, errors. For the .cc files of
// runtime/cli/oci only.
#pragma once

#include <span>

#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {

// Parses, dispatches, reports errors once, returns the exit status. Only the chosen command's
// options are built.
[[nodiscard]] int run_oci_program(std::span<const OciCommand> commands, int argc, char** argv);

}  // namespace strata::cli
