// The commands of strata-vm, one cmd_vm_<verb>.cc each, and what they share.
#pragma once

#include <memory>
#include <string>

#include "runtime/cli/command.h"
#include "runtime/vm/vm.h"
#include "unionfs/base/terminal.h"

namespace strata::cli {

Action add_vm_check(CLI::App& app);
Action add_vm_kernel(CLI::App& app);
Action add_vm_prepare(CLI::App& app);
Action add_vm_run(CLI::App& app);

// --machine, --accel, -m, --cpus, --kernel, --modules: what run and prepare have in common.
struct VmOptions {
  vm::VmRequest request;
  std::string machine = "microvm";
  std::string accelerator = "auto";
  std::string memory;
};
void add_machine_options(CLI::App& app, VmOptions& options);
// Checks and completes the options after parsing.
[[nodiscard]] Result<void> finish_machine_options(VmOptions& options);

// "512", "512m", "2g" in MiB. EINVAL says what is wrong.
[[nodiscard]] Result<uint64_t> parse_memory_mib(const std::string& text);

// Shows on a terminal what takes its time. `progress` must outlive the report's use.
[[nodiscard]] vm::Report report_to(Progress& progress);

// "tcg (kvm: tried, guest did not boot within 5 s)"
[[nodiscard]] std::string describe(const vm::Verdict& verdict);

}  // namespace strata::cli
