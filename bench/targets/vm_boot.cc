#include "bench/targets/vm_boot.h"

#include "bench/targets/common.h"
#include "unionfs/base/json.h"

namespace strata::bench {

std::vector<std::string> VmCommand::argv(const Workload& workload,
                                         const std::vector<std::string>& options) const {
  std::vector<std::string> words{strata,      "--root", workload.root.string(), "vm", "run",
                                 "--machine", machine};
  words.insert(words.end(), options.begin(), options.end());
  words.push_back(image);
  words.emplace_back("--");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

Result<VmFacts> boot_once(const VmCommand& command, const Workload& workload) {
  constexpr const char* kName = "strata vm run --json";
  STRATA_TRY(const auto done, run_checked({.argv = command.argv(workload, {"--quiet", "--json"}),
                                           .env = tool_environment(),
                                           .timeout = std::chrono::minutes(5),
                                           .stop_fd = workload.stop_fd}));
  STRATA_TRY(const auto json, parse_json(done.out, kName));
  VmFacts facts;
  STRATA_TRY(facts.accelerator, json_get(json, "accelerator", std::string(), kName));
  if (facts.accelerator.empty()) return fail(EINVAL, std::string(kName) + ": no accelerator named");
  STRATA_TRY(const auto reason, json_get(json, "accelerator_reason", std::string(), kName));
  facts.note = "Accelerator: " + facts.accelerator + " (" + reason + ").";
  STRATA_TRY(const auto qemu, json_get(json, "qemu_version", std::string(), kName));
  STRATA_TRY(const auto kernel, json_get(json, "kernel", std::string(), kName));
  facts.version = qemu + ", guest kernel " + kernel;
  return facts;
}

}  // namespace strata::bench
