// strata-oci kill [--all] CONTAINER-ID [SIGNAL]

#include "runtime/bundle/control.h"
#include "runtime/cli/oci/oci_command.h"
#include "runtime/container/signals.h"

namespace strata::cli {
namespace {

struct Options {
  std::string id;
  std::string signal = "SIGTERM";
  bool all = false;
};

Result<int> kill(OciGlobals& globals, const Options& options) {
  int signal = 0;  // asks only whether there is a process (kill(2))
  if (options.signal != "0") {
    STRATA_TRY(signal, container::parse_signal(options.signal));
  }
  STRATA_TRY(const auto container, bundle::Container::load(globals.root, options.id));
  STRATA_CHECK(bundle::kill(container, signal, options.all));
  return 0;
}

}  // namespace

OciAction add_oci_kill(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_container_id(app, options->id);
  app.add_option("signal", options->signal, "name or number (SIGTERM)");
  app.add_flag("-a,--all", options->all, "send it to all processes of the container");
  return [options](OciGlobals& globals) { return kill(globals, *options); };
}

}  // namespace strata::cli
