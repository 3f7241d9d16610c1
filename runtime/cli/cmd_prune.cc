// strata prune [--json]

#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/image/maintain.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

struct Options {
  bool json = false;
};

void print_json(const image::PruneReport& report) {
  const OrderedJson json{{"images", report.images},
                         {"blobs", report.blobs},
                         {"layers", report.layers},
                         {"leftovers", report.leftovers},
                         {"bytes", report.bytes}};
  std::printf("%s\n", json.dump(2).c_str());
}

void print_text(const image::PruneReport& report) {
  for (const auto& id : report.images) std::printf("removed image %s\n", id.c_str());
  std::printf("%zu blobs, %zu layers, %zu leftovers removed, %s freed\n", report.blobs,
              report.layers, report.leftovers, human_size(report.bytes).c_str());
}

Result<int> prune(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  auto report = image::prune_images(store);
  if (!report) return fail_in("prune", std::move(report).error());
  if (options.json) {
    print_json(*report);
  } else {
    print_text(*report);
  }
  return 0;
}

}  // namespace

Action add_prune(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("--json", options->json, "print JSON");
  return [options](const Globals& globals) { return prune(globals, *options); };
}

}  // namespace strata::cli
