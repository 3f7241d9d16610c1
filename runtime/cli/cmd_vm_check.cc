// strata vm check: which accelerator guests get here, and why.

#include <cstdio>

#include "runtime/cli/vm_commands.h"
#include "runtime/image/interrupt.h"
#include "runtime/vm/qemu.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

struct Options {
  bool again = false;
  bool json = false;
};

struct Finding {
  std::string qemu;
  vm::Kernel kernel;
  vm::Verdict verdict;
};

Result<Finding> find_out(const image::Store& store, const Options& options) {
  Progress progress("vm:");
  Finding finding;
  STRATA_CHECK(vm::qemu_identity());
  STRATA_TRY(finding.qemu, vm::qemu_version());
  STRATA_TRY(auto kernel, vm::find_kernel(store));
  if (!kernel) {
    STRATA_TRY(kernel, vm::fetch_kernel(store, report_to(progress)));
  }
  finding.kernel = *std::move(kernel);
  STRATA_TRY(finding.verdict,
             vm::decide_accelerator(store, finding.kernel, report_to(progress), options.again));
  return finding;
}

Result<int> check(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  const image::InterruptGuard guard;
  STRATA_TRY(const Finding found, find_out(store, options));
  STRATA_CHECK(image::check_interrupt());
  if (options.json) {
    const OrderedJson json{{"qemu_version", found.qemu},
                           {"kernel", found.kernel.version},
                           {"kernel_package", found.kernel.package},
                           {"accelerator", to_string(found.verdict.accelerator)},
                           {"accelerator_reason", found.verdict.reason},
                           {"remembered", found.verdict.remembered}};
    std::printf("%s\n", json.dump(2).c_str());
  } else {
    std::printf("qemu: %s\nkernel: %s\naccelerator: %s%s\n", found.qemu.c_str(),
                found.kernel.version.c_str(), describe(found.verdict).c_str(),
                found.verdict.remembered ? ", as seen before" : "");
  }
  return 0;
}

}  // namespace

Action add_vm_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("--again", options->again, "try anew, whatever is remembered");
  app.add_flag("--json", options->json, "print JSON");
  return [options](const Globals& globals) { return check(globals, *options); };
}

}  // namespace strata::cli
