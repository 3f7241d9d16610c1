// strata vm kernel [--fetch | --deb FILE] [--json]: the guests' kernels in the store.

#include <cstdio>

#include "runtime/cli/vm_commands.h"
#include "runtime/image/interrupt.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

struct Options {
  bool fetch = false;
  std::string deb;
  bool json = false;
};

Result<void> add_kernel(const image::Store& store, const Options& options) {
  const image::InterruptGuard guard;
  Progress progress("vm:");
  if (!options.deb.empty())
    STRATA_CHECK(
        vm::unpack_kernel(store, options.deb, std::filesystem::path(options.deb).stem().string()));
  if (options.fetch) STRATA_CHECK(vm::fetch_kernel(store, report_to(progress)));
  return image::check_interrupt();
}

Result<int> show(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  STRATA_CHECK(add_kernel(store, options));
  STRATA_TRY(const auto kernels, vm::list_kernels(store));
  OrderedJson array = OrderedJson::array();
  for (const auto& kernel : kernels) {
    const bool used = &kernel == &kernels.front();
    if (options.json) {
      array.push_back({{"version", kernel.version},
                       {"package", kernel.package},
                       {"image", kernel.image.string()},
                       {"modules", kernel.modules.string()},
                       {"used", used}});
    } else {
      std::printf("%s %s  %s\n", used ? "*" : " ", kernel.version.c_str(), kernel.package.c_str());
    }
  }
  if (options.json) std::printf("%s\n", array.dump(2).c_str());
  return 0;
}

}  // namespace

Action add_vm_kernel(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.footer("The newest kernel, marked *, is the one that guests boot.");
  app.add_flag("--fetch", options->fetch, "first fetch Debian's present cloud kernel");
  app.add_option("--deb", options->deb, "first take the kernel out of this linux-image package")
      ->check(CLI::ExistingFile);
  app.add_flag("--json", options->json, "print JSON");
  return [options](const Globals& globals) { return show(globals, *options); };
}

}  // namespace strata::cli
