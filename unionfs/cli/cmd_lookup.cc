#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "unionfs/base/json.h"
#include "unionfs/base/terminal.h"
#include "unionfs/cli/commands.h"
#include "unionfs/cli/stack_options.h"
#include "unionfs/explain.h"
#include "unionfs/index/cache.h"

namespace strata::unionfs::cli {
namespace {

struct Options {
  StackOptions stack;
  std::string path;
  bool explain = false;
  bool json = false;
};

// What the index says, in how long (the best of many, since one is too short to be measured).
struct Lookup {
  const index::Record* record;
  std::chrono::nanoseconds time;
};

Lookup look_up(const index::Index& index, const std::string& path) {
  using Clock = std::chrono::steady_clock;
  constexpr int kRounds = 20;
  constexpr int kLookups = 100;
  Lookup best{nullptr, std::chrono::nanoseconds::max()};
  for (int round = 0; round < kRounds; ++round) {
    const auto start = Clock::now();
    for (int i = 0; i < kLookups; ++i) best.record = index.lookup(path);
    best.time = std::min(best.time, (Clock::now() - start) / kLookups);
  }
  return best;
}

Result<OrderedJson> explain_layers(const LayerStack& stack, const Options& options) {
  STRATA_TRY(const std::vector<LayerAnswer> answers,
             explain(stack, options.path, options.stack.names()));
  OrderedJson layers = OrderedJson::array();
  for (const LayerAnswer& answer : answers)
    layers.push_back({{"layer", answer.layer},
                      {"path", stack.path(answer.layer).string()},
                      {"says", to_text(answer.says)},
                      {"detail", answer.detail}});
  return layers;
}

void print_layers(const OrderedJson& layers) {
  for (const auto& layer : layers) {
    const auto says = layer["says"].get<std::string>();
    const Colour colour = says == "answers"  ? Colour::kGreen
                          : says == "merged" ? Colour::kBlue
                          : says == "-"      ? Colour::kDim
                                             : Colour::kYellow;
    fmt::print("{:>4}  {}  {}  {}\n", layer["layer"].get<size_t>(),
               paint(STDOUT_FILENO, colour, fmt::format("{:<8}", says)),
               layer["path"].get<std::string>(),
               paint(STDOUT_FILENO, Colour::kDim, layer["detail"].get<std::string>()));
  }
}

Result<int> lookup(const Options& options) {
  STRATA_TRY(const LayerStack stack, options.stack.open_stack());
  STRATA_TRY(const index::OpenedIndex opened,
             index::open_index(stack, options.stack.index_dir(), options.stack.names()));
  const Lookup found = look_up(opened.index, options.path);
  OrderedJson json = {{"path", options.path}, {"found", found.record != nullptr}};
  if (found.record != nullptr) {
    const size_t layer = stack.size() - 1 - found.record->layer;
    json["layer"] = layer;
    json["layer_path"] = stack.path(layer).string();
    json["path_in_layer"] = index::path_in_layer(*found.record);
  }
  json["lookup_ns"] = found.time.count();
  if (options.explain) {
    STRATA_TRY(json["layers"], explain_layers(stack, options));
  }
  if (options.json) {
    fmt::print("{}\n", json.dump(2));
    return found.record != nullptr ? 0 : kFailure;
  }
  if (found.record != nullptr) {
    fmt::print("{} is {}/{} (layer {} of {}, {} ns in the index)\n", options.path,
               json["layer_path"].get<std::string>(), json["path_in_layer"].get<std::string>(),
               json["layer"].get<size_t>(), stack.size(), found.time.count());
  } else {
    fmt::print("{}: no such file in {} {} ({} ns in the index)\n", options.path, stack.size(),
               stack.size() == 1 ? "layer" : "layers", found.time.count());
  }
  if (options.explain) print_layers(json["layers"]);
  return found.record != nullptr ? 0 : kFailure;
}

}  // namespace

Action add_lookup(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->stack.add_to(app);
  app.add_option("path", options->path, "What to look up; symbolic links are not followed")
      ->type_name("PATH")
      ->required();
  app.add_flag("--explain", options->explain,
               "Ask every layer in turn: which answers, which are merged, shadowed, hidden");
  app.add_flag("--json", options->json, "Print JSON");
  app.footer("Layers are counted from the top, which is 0. Ends with 1 if there is no such file.");
  return [options] { return lookup(*options); };
}

}  // namespace strata::unionfs::cli
