// strata history [--json] IMAGE

#include <cstdio>

#include "runtime/cli/image_commands.h"
#include "runtime/cli/table.h"
#include "unionfs/base/json.h"

namespace strata::cli {
namespace {

struct Options {
  std::string image;
  bool json = false;
  bool full = false;
};

// One step of the image's making. Newest first, as docker shows them.
struct Step {
  const image::History* history;
  const image::Layer* layer;  // nullptr for a step that changed the configuration only
};

std::vector<Step> steps_of(const image::Image& image) {
  std::vector<Step> steps;
  size_t layer = 0;
  static const image::History kUnknown{.created_by = "(not said)"};
  for (const auto& entry : image.config.history) {
    const bool has_layer = !entry.empty_layer && layer < image.layers.size();
    steps.push_back({&entry, has_layer ? &image.layers[layer++] : nullptr});
  }
  // The history is optional and may tell less than there is.
  while (layer < image.layers.size()) steps.push_back({&kUnknown, &image.layers[layer++]});
  return {steps.rbegin(), steps.rend()};
}

void print_table(const std::vector<Step>& steps, bool full) {
  constexpr size_t kShown = 60;
  std::vector<std::vector<std::string>> rows{{"CREATED", "SIZE", "LAYER", "CREATED BY", "COMMENT"}};
  for (const auto& [history, layer] : steps) {
    const std::string by = printable(history->created_by);
    const std::string id = layer == nullptr ? "-"
                           : full           ? layer->diff_id
                                            : short_id(layer->diff_id);
    rows.push_back({history->created.empty() ? "-" : printable(history->created.substr(0, 19)),
                    layer != nullptr ? human_size(layer->size) : "0 B", id,
                    full ? by : shorten(by, kShown), printable(history->comment)});
  }
  std::fputs(format_table(rows).c_str(), stdout);
}

void print_json(const std::vector<Step>& steps) {
  OrderedJson array = OrderedJson::array();
  for (const auto& [history, layer] : steps) {
    OrderedJson step{{"created", history->created},
                     {"created_by", history->created_by},
                     {"comment", history->comment},
                     {"size", layer != nullptr ? layer->size : 0}};
    step["diff_id"] = layer != nullptr ? OrderedJson(layer->diff_id) : OrderedJson();
    array.push_back(std::move(step));
  }
  std::printf("%s\n", array.dump(2, ' ', false, OrderedJson::error_handler_t::replace).c_str());
}

Result<int> history(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_TRY(const image::Image image, store.get(options.image));
  const auto steps = steps_of(image);
  if (options.json) {
    print_json(steps);
  } else {
    print_table(steps, options.full);
  }
  return 0;
}

}  // namespace

Action add_history(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("IMAGE", options->image, "name or ID")->required();
  app.add_flag("--json", options->json, "print JSON, newest step first");
  app.add_flag("--no-trunc", options->full, "print IDs and commands in full");
  return [options](const Globals& globals) { return history(globals, *options); };
}

}  // namespace strata::cli
