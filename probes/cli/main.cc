// strata-probe: watches commands through BPF. `strata probe …` runs it.

#include <cstdio>
#include <string>
#include <vector>

#include "probes/cli/commands.h"
#include "unionfs/base/error.h"
#include "unionfs/base/standard_streams.h"
#include "unionfs/base/terminal.h"

namespace {

using strata::probes::cli::Action;

struct Verb {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App&);
  int usage_status;
  int failure_status;
};

constexpr Verb kVerbs[] = {
    {"run", "run a command under a probe", strata::probes::cli::add_run,
     strata::probes::cli::kRunFailure, strata::probes::cli::kRunFailure},
    {"list", "list the probes", strata::probes::cli::add_list, strata::probes::cli::kUsage,
     strata::probes::cli::kFailure},
    {"check", "say what this kernel allows, and why not the rest", strata::probes::cli::add_check,
     strata::probes::cli::kUsage, strata::probes::cli::kFailure},
};

struct Registered {
  const Verb* verb;
  CLI::App* app;
  Action action;
};

}  // namespace

int main(int argc, char** argv) {
  strata::open_standard_streams();
  using namespace strata::probes::cli;
  CLI::App app{"Watch a command through eBPF"};
  app.name("strata probe");
  app.set_version_flag("--version", std::string(kProgram) + " " + STRATA_VERSION);
  app.require_subcommand(1);
  std::vector<Registered> registered;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.summary);
    registered.push_back({&verb, sub, verb.add(*sub)});
  }

  // Usage errors of `run` must not look like a status of the command.
  const bool is_run = argc > 1 && std::string_view(argv[1]) == "run";
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    const std::string help = is_run ? "strata probe run startup --help" : "strata probe --help";
    strata::print_error(kProgram, {EINVAL, std::string(e.what()) + " (see '" + help + "')"});
    return is_run ? kRunFailure : kUsage;
  }
  for (const auto& [verb, sub, action] : registered) {
    if (!sub->parsed()) continue;
    const auto status = action();
    if (status) return *status;
    strata::print_error(kProgram, status.error());
    return verb->failure_status;
  }
  return kUsage;
}
