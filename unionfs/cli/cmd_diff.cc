#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "unionfs/base/json.h"
#include "unionfs/base/terminal.h"
#include "unionfs/cli/commands.h"
#include "unionfs/cli/stack_options.h"
#include "unionfs/index/cache.h"

namespace strata::unionfs::cli {
namespace {

struct Options {
  StackOptions stack;
  bool json = false;
};

Colour colour_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kAdded:
      return Colour::kGreen;
    case ChangeKind::kChanged:
      return Colour::kYellow;
    case ChangeKind::kDeleted:
      return Colour::kRed;
  }
  return Colour::kNone;
}

Result<int> diff(const Options& options) {
  if (options.stack.upper.empty()) return fail(EINVAL, "--upper is needed: what to compare");
  STRATA_TRY(const Union merged, options.stack.open_union());
  STRATA_TRY(const std::vector<Change> changes, merged.changes());
  OrderedJson json = OrderedJson::array();
  for (const Change& change : changes) {
    const std::string kind(1, static_cast<char>(change.kind));
    if (options.json) {
      json.push_back({{"kind", kind}, {"path", change.path}});
    } else {
      fmt::print("{} {}\n", paint(STDOUT_FILENO, colour_of(change.kind), kind), change.path);
    }
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return 0;
}

Result<int> verify(const Options& options) {
  STRATA_TRY(const LayerStack stack, options.stack.open_stack());
  STRATA_TRY(const index::OpenedIndex opened,
             index::open_index(stack, options.stack.index_dir(), options.stack.names()));
  STRATA_CHECK(index::verify_index(stack, opened.index, options.stack.names()));
  if (options.json) {
    const OrderedJson json = {
        {"layers", stack.size()}, {"entries", opened.index.entries()}, {"built", opened.built}};
    fmt::print("{}\n", json.dump(2));
    return 0;
  }
  fmt::print("{} layers, {} files and directories: the index says what is in the layers\n",
             stack.size(), opened.index.entries());
  if (opened.built > 0 && !options.stack.index.empty())
    fmt::print("(built {} of {} segments: they were missing, damaged or of other layers)\n",
               opened.built, stack.size());
  return 0;
}

Result<int> complete(const Options& options) {
  if (options.stack.upper.empty() || options.stack.work.empty())
    return fail(EINVAL, "--upper and --work are needed");
  STRATA_TRY(Union merged, options.stack.open_union());
  STRATA_CHECK(merged.complete_upper());
  STRATA_CHECK(merged.sync());
  return 0;
}

}  // namespace

Action add_diff(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->stack.add_to(app);
  app.add_flag("--json", options->json, "Print JSON");
  app.footer("A added, C changed (also: a directory in which something changed), D deleted.");
  return [options] { return diff(*options); };
}

Action add_verify(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->stack.add_to(app);
  app.add_flag("--json", options->json, "Print JSON");
  app.footer("Reads all layers and compares with the index; ends with 1 if they differ.");
  return [options] { return verify(*options); };
}

Action add_complete(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->stack.add_to(app);
  app.footer("Afterwards the upper layer can be packed. It must not be mounted meanwhile.");
  return [options] { return complete(*options); };
}

}  // namespace strata::unionfs::cli
