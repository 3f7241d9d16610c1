// `vm-microvm` and `vm-q35`: the same image with the same command in a virtual machine.

#include "bench/targets/common.h"
#include "bench/targets/targets.h"
#include "unionfs/base/json.h"

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
    launch_.env = tool_environment();
    STRATA_CHECK(boot_once(workload));
    launch_.argv = command_line(workload, {"--quiet", "--accel", accelerator_});
    launch_.expected_output = workload.output;
    launch_.timeout = std::chrono::minutes(3);
    return {};
  }

  Launch launch() const override { return launch_; }

 private:
  std::vector<std::string> command_line(const Workload& workload,
                                        const std::vector<std::string>& options) const {
    std::vector<std::string> argv{program_,    "--root", workload.root.string(), "vm", "run",
                                  "--machine", machine_};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.push_back(workload.image.name);
    argv.emplace_back("--");
    argv.insert(argv.end(), workload.command.begin(), workload.command.end());
    return argv;
  }

  // A first boot, in no sample, makes what is made once (kernel, disk) and says which accelerator
  // it got: software emulation must never pass for a hardware VM.
  Result<void> boot_once(const Workload& workload) {
    constexpr const char* kName = "strata vm run --json";
    STRATA_TRY(const auto done, run_checked({.argv = command_line(workload, {"--quiet", "--json"}),
                                             .env = launch_.env,
                                             .timeout = std::chrono::minutes(5),
                                             .stop_fd = workload.stop_fd}));
    STRATA_TRY(const auto json, parse_json(done.out, kName));
    STRATA_TRY(accelerator_, json_get(json, "accelerator", std::string(), kName));
    if (accelerator_.empty()) return fail(EINVAL, std::string(kName) + ": no accelerator named");
    STRATA_TRY(const auto reason, json_get(json, "accelerator_reason", std::string(), kName));
    note_ = "Accelerator: " + accelerator_ + " (" + reason + ").";
    STRATA_TRY(const auto qemu, json_get(json, "qemu_version", std::string(), kName));
    STRATA_TRY(const auto kernel, json_get(json, "kernel", std::string(), kName));
    version_ = qemu + ", guest kernel " + kernel;
    return {};
  }

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
