// The commands of strata-vm.
#pragma once

#include "runtime/cli/command.h"

namespace strata::cli {

Action add_vm_check(CLI::App& app);
Action add_vm_prepare(CLI::App& app);
Action add_vm_run(CLI::App& app);

}  // namespace strata::cli
