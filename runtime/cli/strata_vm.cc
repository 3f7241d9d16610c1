// strata-vm: images as virtual machines.

#include <array>

#include "runtime/cli/command.h"
#include "runtime/cli/vm_commands.h"

namespace {

using strata::cli::Command;

constexpr std::array kCommands{
    Command{.verb = "run",
            .add = strata::cli::add_vm_run,
            .summary = "boot an image and run a command in it",
            .failure_status = strata::cli::kRuntimeFailure},
    Command{.verb = "prepare",
            .add = strata::cli::add_vm_prepare,
            .summary = "do ahead what the first run of an image would do"},
    Command{.verb = "kernel",
            .add = strata::cli::add_vm_kernel,
            .summary = "list or fetch the guests' kernels"},
    Command{.verb = "check",
            .add = strata::cli::add_vm_check,
            .summary = "tell which accelerator guests get, and why"},
};

}  // namespace

int main(int argc, char** argv) {
  return strata::cli::run_program("strata-vm", kCommands, argc, argv);
}
