// strata inspect NAME…

#include <cstdio>

#include "runtime/cli/container_commands.h"
#include "runtime/container/inspect.h"
#include "runtime/image/image_json.h"

namespace strata::cli {
namespace {

// A container's name comes first, as in docker.
Result<std::string> describe(const image::Store& store, const std::string& name) {
  auto container = container::Container::find(store, name);
  if (container) return container::container_to_json(*container);
  if (container.error().code != ENOENT) return std::unexpected(std::move(container).error());
  STRATA_TRY(const auto image, store.find(name));
  if (image) return image::image_to_json(*image);
  return fail(ENOENT, "no container or image '" + name + "' in " + store.root().string());
}

Result<int> inspect(const Globals& globals, const std::vector<std::string>& names) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  int status = 0;
  std::string text;
  for (const auto& name : names) {
    const auto object = describe(store, name);
    if (object) {
      text += (text.empty() ? "\n" : ",\n") + *object;
    } else {
      report(object.error());
      status = kFailure;
    }
  }
  std::printf("[%s%s]\n", text.c_str(), text.empty() ? "" : "\n");
  return status;
}

}  // namespace

Action add_inspect(CLI::App& app) {
  auto names = std::make_shared<std::vector<std::string>>();
  app.add_option("NAME", *names, "containers or images, by name or ID")->required();
  app.footer("Prints a JSON array with an object for each.");
  return [names](const Globals& globals) { return inspect(globals, *names); };
}

}  // namespace strata::cli
