// strata prune [-a] [-f] [--json]

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "runtime/cli/image_commands.h"
#include "runtime/container/prune.h"
#include "runtime/image/maintain.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

struct Options {
  bool all = false;
  bool force = false;
  bool json = false;
};

void print_json(const container::PruneReport& containers, const image::PruneReport& images) {
  const OrderedJson json{{"containers", containers.containers},
                         {"recovered", containers.recovered},
                         {"images", images.images},
                         {"blobs", images.blobs},
                         {"layers", images.layers},
                         {"leftovers", images.leftovers},
                         {"bytes", containers.bytes + images.bytes}};
  std::printf("%s\n", json.dump(2).c_str());
}

void print_text(const container::PruneReport& containers, const image::PruneReport& images) {
  for (const auto& id : containers.containers) std::printf("removed container %s\n", id.c_str());
  for (const auto& id : containers.recovered)
    std::printf("cleared away what was left of container %s\n", id.c_str());
  for (const auto& id : images.images) std::printf("removed image %s\n", id.c_str());
  std::printf("%zu blobs, %zu layers, %zu leftovers removed, %s freed\n", images.blobs,
              images.layers, images.leftovers, human_size(containers.bytes + images.bytes).c_str());
}

// Stopped containers hold what somebody may want: asked about where somebody can answer.
bool confirmed(const Options& options) {
  if (!options.all || options.force || ::isatty(STDIN_FILENO) == 0) return true;
  std::fputs("Remove all stopped containers with what they wrote? [y/N] ", stderr);
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

Result<int> prune(const Globals& globals, const Options& options) {
  if (!confirmed(options)) return kFailure;
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  // Containers first: images that only they used are free then.
  auto containers = container::prune(store, options.all);
  if (!containers) return fail_in("prune", std::move(containers).error());
  auto images = image::prune_images(store);
  if (!images) return fail_in("prune", std::move(images).error());
  if (options.json) {
    print_json(*containers, *images);
  } else {
    print_text(*containers, *images);
  }
  return 0;
}

}  // namespace

Action add_prune(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("-a,--all", options->all, "remove stopped containers, too");
  app.add_flag("-f,--force", options->force, "don't ask");
  app.add_flag("--json", options->json, "print JSON");
  app.footer(
      "Removes what killed programs left behind, images that have neither a name nor a container, "
      "and blobs and layers that no image needs.");
  return [options](const Globals& globals) { return prune(globals, *options); };
}

}  // namespace strata::cli
