// strata-oci list [--format table|json] [--quiet]

#include "runtime/bundle/list.h"
#include "runtime/cli/oci/oci_command.h"

namespace strata::cli {
namespace {

struct Options {
  std::string format = "table";
  bool quiet = false;
};

Result<int> list(OciGlobals& globals, const Options& options) {
  STRATA_TRY(const auto containers, bundle::list(globals.root));
  if (options.quiet) {
    for (const auto& listed : containers) print(listed.record.id + "\n");
  } else {
    print(options.format == "json" ? bundle::list_json(containers)
                                   : bundle::list_table(containers));
  }
  return 0;
}

}  // namespace

OciAction add_oci_list(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("-f,--format", options->format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  app.add_flag("-q,--quiet", options->quiet, "only IDs");
  return [options](OciGlobals& globals) { return list(globals, *options); };
}

}  // namespace strata::cli
