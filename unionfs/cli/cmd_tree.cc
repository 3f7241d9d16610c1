#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "unionfs/base/terminal.h"
#include "unionfs/cli/commands.h"
#include "unionfs/cli/describe.h"
#include "unionfs/cli/stack_options.h"
#include "unionfs/files/tree_path.h"

namespace strata::unionfs::cli {
namespace {

struct Options {
  StackOptions stack;
  std::string path = "/";
  int depth = -1;
  bool json = false;
};

class Printer {
 public:
  Printer(const Union& merged, const Options& options) : merged_(merged), options_(options) {}

  Result<void> print(const std::string& path, const std::string& indent, int depth) {
    if (options_.depth >= 0 && depth > options_.depth) return {};
    STRATA_TRY(std::vector<DirectoryEntry> entries, merged_.read_directory(path));
    std::ranges::sort(entries, {}, &DirectoryEntry::name);
    for (const DirectoryEntry& entry : entries) {
      const bool is_last = &entry == &entries.back();
      const std::string full = join_path(path, entry.name);
      ++count_;
      if (options_.json) {
        STRATA_TRY(const OrderedJson json, describe(merged_, full));
        fmt::print("{}\n", json.dump());
      } else {
        STRATA_TRY(const std::string label, label_of(entry, full));
        fmt::print("{}{}{}\n", indent, is_last ? "└── " : "├── ", label);
      }
      if (entry.type == DT_DIR)
        STRATA_CHECK(print(full, indent + (is_last ? "    " : "│   "), depth + 1));
    }
    return {};
  }

  [[nodiscard]] size_t count() const { return count_; }

 private:
  Result<std::string> label_of(const DirectoryEntry& entry, const std::string& path) const {
    if (entry.type == DT_DIR) return paint(STDOUT_FILENO, Colour::kBlue, entry.name);
    if (entry.type != DT_LNK) return entry.name;
    STRATA_TRY(const std::string target, merged_.read_link(path));
    return entry.name + paint(STDOUT_FILENO, Colour::kDim, " -> " + target);
  }

  const Union& merged_;
  const Options& options_;
  size_t count_ = 0;
};

Result<int> tree(const Options& options) {
  STRATA_TRY(const Union merged, options.stack.open_union());
  if (!options.json) fmt::print("{}\n", paint(STDOUT_FILENO, Colour::kBlue, options.path));
  Printer printer(merged, options);
  STRATA_CHECK(printer.print(options.path, "", 1));
  if (!options.json) fmt::print("\n{} files and directories\n", printer.count());
  return 0;
}

}  // namespace

Action add_tree(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->stack.add_to(app);
  app.add_option("path", options->path, "Where to begin")->type_name("PATH");
  app.add_option("--depth", options->depth, "How many levels to show (default: all)")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  app.add_flag("--json", options->json, "Print one JSON object a line for each file");
  return [options] { return tree(*options); };
}

}  // namespace strata::unionfs::cli
