// strata vm prepare IMAGE: does ahead what the first run of an image would do.

#include <cstdio>

#include "runtime/cli/vm_commands.h"
#include "runtime/image/interrupt.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

struct Options : VmOptions {
  bool json = false;
};

Result<int> prepare(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  const image::InterruptGuard guard;
  Result<vm::PreparedVm> prepared;
  {
    Progress progress("vm:");
    prepared = vm::prepare(store, options.request, report_to(progress));
  }
  STRATA_CHECK(prepared);
  STRATA_CHECK(image::check_interrupt());
  if (options.json) {
    const OrderedJson json{{"image", options.request.image},
                           {"image_id", prepared->image_id},
                           {"disk", prepared->disk.string()},
                           {"kernel", prepared->kernel.version},
                           {"accelerator", to_string(prepared->accelerator.accelerator)},
                           {"accelerator_reason", prepared->accelerator.reason}};
    std::printf("%s\n", json.dump(2).c_str());
  } else {
    std::printf("disk: %s\nkernel: %s\naccelerator: %s\n", prepared->disk.c_str(),
                prepared->kernel.version.c_str(), describe(prepared->accelerator).c_str());
  }
  return 0;
}

}  // namespace

Action add_vm_prepare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("IMAGE", options->request.image, "the image")->required();
  add_machine_options(app, *options);
  app.add_flag("--json", options->json, "print JSON");
  return [options](const Globals& globals) -> Result<int> {
    STRATA_CHECK(finish_machine_options(*options));
    return prepare(globals, *options);
  };
}

}  // namespace strata::cli
