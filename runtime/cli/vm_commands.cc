#include "runtime/cli/vm_commands.h"

#include <charconv>

namespace strata::cli {

void add_machine_options(CLI::App& app, VmOptions& options) {
  app.add_option("--machine", options.machine, "QEMU's machine")
      ->check(CLI::IsMember({"microvm", "q35"}))
      ->capture_default_str();
  app.add_option(
         "--accel", options.accelerator,
         "what runs the guest: kvm, tcg (software emulation), or auto: kvm where a guest is "
         "seen to boot with it")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  app.add_option("-m,--memory", options.memory, "memory of the guest (default 512m)");
  app.add_option("--cpus", options.request.cpus, "CPUs of the guest")->capture_default_str();
  app.add_option("--kernel", options.request.kernel,
                 "boot this kernel (ELF or bzImage) and not the store's")
      ->check(CLI::ExistingFile);
  app.add_option("--modules", options.request.modules, "directory of that kernel's modules")
      ->check(CLI::ExistingDirectory);
}

Result<void> finish_machine_options(VmOptions& options) {
  auto& request = options.request;
  request.machine = options.machine == "q35" ? vm::Machine::kQ35 : vm::Machine::kMicrovm;
  if (options.accelerator == "kvm") request.accelerator = vm::Accelerator::kKvm;
  if (options.accelerator == "tcg") request.accelerator = vm::Accelerator::kTcg;
  if (options.memory.empty()) return {};
  STRATA_TRY(request.memory_mib, parse_memory_mib(options.memory));
  return {};
}

Result<uint64_t> parse_memory_mib(const std::string& text) {
  constexpr uint64_t kMost = uint64_t{1} << 30;
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const std::string_view unit(parsed.ptr, static_cast<size_t>(end - parsed.ptr));
  const bool is_gib = unit == "g" || unit == "G";
  const bool is_mib = unit.empty() || unit == "m" || unit == "M";
  if (parsed.ec != std::errc() || number > kMost || (!is_gib && !is_mib))
    return fail(EINVAL, "'" + text + "' is no amount of memory (512m, 2g)");
  return is_gib ? number << 10 : number;
}

vm::Report report_to(Progress& progress) {
  return [&progress](std::string_view what) { progress.update(what); };
}

std::string describe(const vm::Verdict& verdict) {
  return std::string(to_string(verdict.accelerator)) + " (" + verdict.reason + ")";
}

}  // namespace strata::cli
