#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "unionfs/cli/commands.h"
#include "unionfs/cli/describe.h"
#include "unionfs/cli/stack_options.h"
#include "unionfs/files/tree_path.h"

namespace strata::unionfs::cli {
namespace {

struct Options {
  StackOptions stack;
  std::vector<std::string> paths{"/"};
  bool is_long = false;
  bool json = false;
};

Result<int> ls(const Options& options) {
  STRATA_TRY(const Union merged, options.stack.open_union());
  OrderedJson json = OrderedJson::array();
  for (const std::string& path : options.paths) {
    STRATA_TRY(const struct stat st, merged.stat(path, Follow::kYes));
    std::vector<std::string> names;
    if (S_ISDIR(st.st_mode)) {
      STRATA_TRY(const std::vector<DirectoryEntry> entries, merged.read_directory(path));
      for (const DirectoryEntry& entry : entries) names.push_back(entry.name);
      std::ranges::sort(names);
    } else {
      names.emplace_back();
    }
    if (!options.json && options.paths.size() > 1) fmt::print("{}:\n", path);
    for (const std::string& name : names) {
      const std::string full = name.empty() ? path : join_path(path, name);
      const std::string& shown = name.empty() ? path : name;
      if (options.json) {
        STRATA_TRY(OrderedJson entry, describe(merged, full));
        json.push_back(std::move(entry));
      } else if (options.is_long) {
        STRATA_TRY(const std::string line, long_line(merged, full, shown));
        fmt::print("{}\n", line);
      } else {
        fmt::print("{}\n", shown);
      }
    }
  }
  if (options.json) fmt::print("{}\n", json.dump(2));
  return 0;
}

struct StatOptions {
  StackOptions stack;
  std::vector<std::string> paths;
};

Result<int> stat(const StatOptions& options) {
  STRATA_TRY(const Union merged, options.stack.open_union());
  OrderedJson json = OrderedJson::array();
  for (const std::string& path : options.paths) {
    STRATA_TRY(OrderedJson entry, describe(merged, path));
    json.push_back(std::move(entry));
  }
  fmt::print("{}\n", json.dump(2));
  return 0;
}

}  // namespace

Action add_ls(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  options->stack.add_to(app);
  app.add_option("path", options->paths, "Directories or files")->type_name("PATH…");
  app.add_flag("-l,--long", options->is_long, "Modes, owners, sizes, times and link targets");
  app.add_flag("--json", options->json, "Print JSON");
  return [options] { return ls(*options); };
}

Action add_stat(CLI::App& app) {
  const auto options = std::make_shared<StatOptions>();
  options->stack.add_to(app);
  app.add_option("path", options->paths, "What to look at")->type_name("PATH…")->required();
  app.footer("Prints JSON.");
  return [options] { return stat(*options); };
}

}  // namespace strata::unionfs::cli
