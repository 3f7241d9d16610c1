// `vm-microvm` and `vm-q35`: the same image with the same command in a virtual machine.

#include "bench/targets/common.h"
#include "bench/targets/targets.h"
#include "bench/targets/vm_boot.h"

namespace strata::bench {
namespace {

class Vm final : public TargetDriver {
 public:
  Vm(const OwnPrograms& programs, const std::string& machine)
      : TargetDriver({.name = "vm-" + machine,
                      .kind = "vm",
                      .description =
                          "strata vm run: QEMU's " + machine +
                          " machine boots a Debian cloud kernel with the image as a read-only disk "
                          "and runs the command as the child of a minimal init.",
                      .is_slow = true}),
        program_(programs.strata),
        has_vm_(!programs.vm.empty()),
        machine_(machine) {}

  std::optional<std::string> unavailable() const override {
    if (program_.empty()) return "strata was not found";
    if (!has_vm_) return "strata-vm was not found";
    return lacks_program("qemu-system-x86_64");
  }

  Result<void> setup(const Workload& workload) override {
    if (workload.image.name.empty())
      return fail(ENOTSUP, "a VM is started from an image, and a plain directory was given");
    const VmCommand command{program_, machine_, workload.image.name, workload.command};
    STRATA_TRY(const VmFacts facts, boot_once(command, workload));
    accelerator_ = facts.accelerator;
    note_ = facts.note;
    version_ = facts.version;
    launch_.env = tool_environment();
    launch_.argv = command.argv(workload, {"--quiet", "--accel", accelerator_});
    launch_.expected_output = workload.output;
    launch_.timeout = std::chrono::minutes(3);
    return {};
  }

  Launch launch() const override { return launch_; }

 private:
  std::string program_;
  bool has_vm_;
  std::string machine_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_vm(const OwnPrograms& programs, const std::string& machine) {
  return std::make_unique<Vm>(programs, machine);
}

}  // namespace strata::bench
