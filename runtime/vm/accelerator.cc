// KVM or TCG: decided by trying, remembered.

#include <sys/utsname.h>
#include <unistd.h>

#include "runtime/vm/vm.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"
#include "unionfs/base/subprocess.h"

namespace strata::vm {
namespace {

constexpr std::chrono::seconds kAttempt{5};

// What a verdict is worth is bound to this.
Result<std::string> circumstances() {
  utsname name{};
  ::uname(&name);
  STRATA_TRY(const std::string boot, read_file("/proc/sys/kernel/random/boot_id"));
  STRATA_TRY(const auto qemu, run_checked({.argv = {"qemu-system-x86_64", "--version"}}));
  return std::string(name.release) + "; " + qemu.out.substr(0, qemu.out.find('\n')) + "; " +
         boot.substr(0, boot.find('\n'));
}

std::optional<AcceleratorVerdict> remembered(const std::filesystem::path& file,
                                             const std::string& circumstances) {
  const auto text = read_file(file);
  const auto json = text ? parse_json(*text, file.string()) : std::unexpected(Error{});
  if (!json || json->value("circumstances", "") != circumstances) return std::nullopt;
  return AcceleratorVerdict{json->value("usable", false) ? Accelerator::kKvm : Accelerator::kTcg,
                            json->value("reason", "")};
}

AcceleratorVerdict attempt(const Request& request) {
  Request boot = request;
  boot.accelerator = Accelerator::kKvm;
  boot.command = {.args = {"/bin/true"}, .env = {}, .working_dir = "", .user = ""};
  boot.timeout = kAttempt;
  boot.discard_output = true;
  const auto report = run(boot);
  if (report) return {Accelerator::kKvm, "a guest was seen to boot under kvm"};
  if (report.error().code == ETIMEDOUT)
    return {Accelerator::kTcg, "kvm was tried, the guest did not boot within " +
                                   std::to_string(kAttempt.count()) + " s"};
  return {Accelerator::kTcg, "kvm was tried: " + report.error().what};
}

}  // namespace

Result<AcceleratorVerdict> choose_accelerator(const image::Store& store, const Request& request) {
  if (::access("/dev/kvm", R_OK | W_OK) < 0)
    return AcceleratorVerdict{Accelerator::kTcg, posix_error("/dev/kvm").what};
  STRATA_TRY(const std::string now, circumstances());
  const auto file = store.vm_dir() / "kvm.json";
  if (auto verdict = remembered(file, now)) return *verdict;
  const auto verdict = attempt(request);
  const Json json = {{"circumstances", now},
                     {"usable", verdict.accelerator == Accelerator::kKvm},
                     {"reason", verdict.reason}};
  STRATA_CHECK(write_file_atomic(file, json.dump(1) + "\n"));
  return verdict;
}

}  // namespace strata::vm
