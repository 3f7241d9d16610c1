// strata-oci: an OCI runtime with the command line of runc, for the engines that drive one.

#include <unistd.h>

#include <array>

#include "runtime/cli/oci/oci_command.h"
#include "runtime/cli/oci/program.h"
#include "runtime/linux/own_program.h"

namespace {

using strata::cli::OciCommand;
using strata::linux::guard_own_program;
using strata::linux::run_from_read_only_mount;

constexpr std::array kCommands{
    OciCommand{"create", "create a container", strata::cli::add_oci_create, guard_own_program},
    OciCommand{"start", "run the program of a created container", strata::cli::add_oci_start},
    OciCommand{"run", "create and start a container", strata::cli::add_oci_run, guard_own_program},
    OciCommand{"state", "print the state of a container", strata::cli::add_oci_state},
    OciCommand{"kill", "send a signal to a container", strata::cli::add_oci_kill},
    OciCommand{"delete", "remove what a container holds", strata::cli::add_oci_delete},
    // Enters what a stranger may run in already.
    OciCommand{"exec", "run a further program in a container", strata::cli::add_oci_exec,
               run_from_read_only_mount, strata::cli::kOciExecFailure},
    OciCommand{"list", "list containers", strata::cli::add_oci_list},
    OciCommand{"ps", "list the processes of a container", strata::cli::add_oci_ps},
    OciCommand{"pause", "freeze a container", strata::cli::add_oci_pause},
    OciCommand{"resume", "thaw a container", strata::cli::add_oci_resume},
    OciCommand{"update", "change the limits of a container", strata::cli::add_oci_update},
    OciCommand{"events", "print what a container uses", strata::cli::add_oci_events},
    OciCommand{"spec", "write a configuration to begin with", strata::cli::add_oci_spec},
    OciCommand{"features", "print what this runtime can do", strata::cli::add_oci_features},
    OciCommand{"checkpoint", "(not possible: CRIU is not used)", strata::cli::add_oci_checkpoint},
    OciCommand{"restore", "(not possible: CRIU is not used)", strata::cli::add_oci_checkpoint},
};

}  // namespace

int main(int argc, char** argv) {
  const int status = strata::cli::run_oci_program(kCommands, argc, argv);
  // All is written; taking objects apart one by one would only keep the caller waiting.
  ::_exit(status);
}
