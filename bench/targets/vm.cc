// `vm-microvm` and `vm-q35`: the same image with the same command in a virtual machine.

#include "bench/targets/common.h"
#include "bench/targets/targets.h"
#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

class Vm final : public TargetDriver {
 public:
  Vm(std::string program, const std::string& machine)
      : TargetDriver({.name = "vm-" + machine,
                      .kind = "vm",
                      .description =
                          "strata vm run: QEMU's " + machine +
                          " machine boots a Debian cloud kernel with the image as a read-only disk "
                          "and runs the command as the child of a minimal init.",
                      .is_slow = true}),
        program_(std::move(program)),
        machine_(machine) {}

  std::optional<std::string> unavailable() const override {
    if (program_.empty()) return "strata was not found";
    return lacks_program("qemu-system-x86_64");
  }

  Result<void> setup(const Workload& workload) override {
    if (workload.image.name.empty())
      return fail(ENOTSUP, "a VM is started from an image, and a plain directory was given");
    version_ = version_of("qemu-system-x86_64");
    launch_.argv = command_line(workload, {});
    launch_.env = tool_environment();
    launch_.expected_output = workload.output;
    launch_.timeout = std::chrono::minutes(3);
    return find_accelerator(workload);
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

  // A first boot, in no sample, that says which accelerator it got: software emulation must never
  // pass for a hardware VM.
  Result<void> find_accelerator(const Workload& workload) {
    STRATA_TRY(const auto done, run_checked({.argv = command_line(workload, {"--json"}),
                                             .env = launch_.env,
                                             .timeout = std::chrono::minutes(5)}));
    STRATA_TRY(const auto json, parse_json(done.out, "strata vm run --json"));
    STRATA_TRY(accelerator_, json_get(json, "accelerator", std::string(), "strata vm run --json"));
    if (accelerator_.empty())
      return fail(EINVAL, "strata vm run --json does not name the accelerator");
    return {};
  }

  std::string program_;
  std::string machine_;
  Launch launch_;
};

}  // namespace

std::unique_ptr<TargetDriver> make_vm(const OwnPrograms& programs, const std::string& machine) {
  return std::make_unique<Vm>(programs.strata, machine);
}

}  // namespace strata::bench
