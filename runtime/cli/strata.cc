// strata: starts, watches and ends containers. Other verbs are answered by other programs
// (verbs.h).

#include <array>

#include "runtime/cli/command.h"
#include "runtime/cli/container_commands.h"
#include "runtime/linux/own_program.h"

namespace {

using strata::cli::Command;
using strata::linux::guard_own_program;
using strata::linux::run_from_read_only_mount;

constexpr std::array kCommands{
    Command{"run", strata::cli::add_run, guard_own_program},
    Command{"create", strata::cli::add_create, guard_own_program},
    Command{"start", strata::cli::add_start, guard_own_program},
    // Enters what a stranger may run in already.
    Command{"exec", strata::cli::add_exec, run_from_read_only_mount},
    Command{"ps", strata::cli::add_ps},
    Command{"logs", strata::cli::add_logs},
    Command{"stop", strata::cli::add_stop},
    Command{"kill", strata::cli::add_kill},
    Command{"wait", strata::cli::add_wait},
    Command{"rm", strata::cli::add_rm},
    Command{"inspect", strata::cli::add_inspect},
};

}  // namespace

int main(int argc, char** argv) {
  return strata::cli::run_program("strata", kCommands, argc, argv);
}
