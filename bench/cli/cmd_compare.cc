// strata bench compare A.json B.json

#include <unistd.h>

#include <cstdio>
#include <memory>

#include "bench/cli/commands.h"
#include "bench/export/table.h"
#include "bench/result.h"
#include "unionfs/base/terminal.h"

namespace strata::bench {
namespace {

struct Options {
  std::string a;
  std::string b;
};

Result<int> compare(const Options& options) {
  STRATA_TRY(const auto a, read_measurements(options.a));
  STRATA_TRY(const auto b, read_measurements(options.b));
  const auto table = compare_table(a, b, {.colour = wants_colour(STDOUT_FILENO)});
  std::fputs(table.c_str(), stdout);
  return 0;
}

}  // namespace

Action add_compare(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("A", options->a, "the older result file")->required();
  app.add_option("B", options->b, "the newer result file")->required();
  return [options](const Globals& /*globals*/) { return compare(*options); };
}

}  // namespace strata::bench
