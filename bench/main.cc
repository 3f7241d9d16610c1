// strata-bench: a table of contents.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "bench/cli/commands.h"
#include "unionfs/base/standard_streams.h"
#include "unionfs/base/terminal.h"

namespace {

using strata::bench::Action;
using strata::bench::Command;
using strata::bench::Globals;

constexpr std::array kCommands{
    Command{"run", "run a benchmark suite", strata::bench::add_run},
    Command{"list", "list suites and targets, and which can run here", strata::bench::add_list},
    Command{"report", "make an HTML page of result files", strata::bench::add_report},
    Command{"compare", "compare two result files", strata::bench::add_compare},
};

constexpr const char* kProgram = "strata bench";

std::string default_root() {
  const char* root = std::getenv("STRATA_ROOT");
  return root != nullptr && *root != '\0' ? root : "/var/lib/strata";
}

}  // namespace

int main(int argc, char** argv) {
  strata::open_standard_streams();
  std::string root = default_root();
  Action action;
  CLI::App app{"Benchmarks: the same image started in different ways, side by side."};
  app.name(kProgram);
  app.set_version_flag("--version", std::string("strata-bench ") + STRATA_VERSION);
  app.add_option("--root", root, "where images and containers are kept ($STRATA_ROOT)");
  app.require_subcommand(1);
  for (const auto& command : kCommands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->fallthrough();  // --root may also stand after the command
    sub->callback([&action, added = command.add(*sub)] { action = added; });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    strata::print_error(kProgram, {EINVAL, std::string(e.what()) + " (see --help)"});
    return 2;
  }
  const Globals globals{.root = std::filesystem::absolute(root).lexically_normal(),
                        .command_line = {argv, argv + argc}};
  const auto status = action(globals);
  if (!status) {
    strata::print_error(kProgram, status.error());
    return 1;
  }
  return *status;
}
