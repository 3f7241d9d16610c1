#include "unionfs/cli/stack_options.h"

#include <utility>

#include "unionfs/index/cache.h"

namespace strata::unionfs::cli {

Result<std::vector<std::filesystem::path>> split_layers(const std::string& text) {
  std::vector<std::filesystem::path> layers;
  std::string part;
  const auto finish = [&]() -> Result<void> {
    if (part.empty()) return fail(EINVAL, "--lower '" + text + "' has an empty part");
    layers.emplace_back(std::exchange(part, {}));
    return {};
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      part += text[++i];
    } else if (text[i] == ':') {
      STRATA_CHECK(finish());
    } else {
      part += text[i];
    }
  }
  STRATA_CHECK(finish());
  return layers;
}

void StackOptions::add_to(CLI::App& app) {
  app.add_option("--lower", lower, R"(The layers, top first ("\:" is a colon in a name))")
      ->type_name("TOP:…:BOTTOM")
      ->required();
  app.add_option("--upper", upper, "The directory that takes changes")->type_name("DIR");
  app.add_option("--work", work, "Its work directory, on the same file system")->type_name("DIR");
  app.add_option("--index", index, "Where indexes are kept (default: built in memory)")
      ->type_name("DIR");
  app.add_flag("--userxattr", user_xattrs, "The layers' notes are user.overlay.* attributes");
}

Result<LayerStack> StackOptions::open_stack() const {
  STRATA_TRY(std::vector<std::filesystem::path> layers, split_layers(lower));
  return LayerStack::open(std::move(layers));
}

std::optional<std::filesystem::path> StackOptions::index_dir() const {
  if (index.empty()) return std::nullopt;
  return index;
}

Result<std::optional<Upper>> StackOptions::upper_layer() const {
  if (upper.empty() && !work.empty()) return fail(EINVAL, "--work without --upper");
  if (upper.empty()) return std::optional<Upper>();
  return std::optional<Upper>({upper, work});
}

Result<Union> StackOptions::open_union() const {
  STRATA_TRY(LayerStack stack, open_stack());
  STRATA_TRY(std::optional<Upper> with_work, upper_layer());
  STRATA_TRY(index::OpenedIndex opened, index::open_index(stack, index_dir(), names()));
  return Union::open(std::move(stack), std::move(opened.index), std::move(with_work),
                     {.names = &names()});
}

}  // namespace strata::unionfs::cli
