// strata-image: everything that writes images or looks after the store.

#include <array>

#include "runtime/cli/command.h"
#include "runtime/cli/image_commands.h"

namespace {

using strata::cli::Command;

constexpr std::array kCommands{
    Command{"import", strata::cli::add_import},   Command{"load", strata::cli::add_load},
    Command{"save", strata::cli::add_save},       Command{"images", strata::cli::add_images},
    Command{"history", strata::cli::add_history}, Command{"tag", strata::cli::add_tag},
    Command{"rmi", strata::cli::add_rmi},         Command{"commit", strata::cli::add_commit},
    Command{"prune", strata::cli::add_prune},     Command{"fsck", strata::cli::add_fsck},
    Command{"check", strata::cli::add_check},
};

}  // namespace

int main(int argc, char** argv) {
  return strata::cli::run_program("strata-image", kCommands, argc, argv);
}
