// strata-vm: images as virtual machines.

#include <array>

#include "runtime/cli/command.h"
#include "runtime/cli/vm_commands.h"

namespace {

using strata::cli::Command;

constexpr std::array kCommands{
    Command{"run", strata::cli::add_vm_run},
    Command{"prepare", strata::cli::add_vm_prepare},
    Command{"kernel", strata::cli::add_vm_kernel},
    Command{"check", strata::cli::add_vm_check},
};

}  // namespace

int main(int argc, char** argv) {
  return strata::cli::run_program("strata-vm", kCommands, argc, argv);
}
