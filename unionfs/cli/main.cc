// strata-union: experiments with union file systems. `strata union …` runs it.

#include <cstdio>
#include <string>
#include <vector>

#include "unionfs/base/error.h"
#include "unionfs/base/terminal.h"
#include "unionfs/cli/commands.h"

namespace {

using namespace strata::unionfs::cli;

struct Verb {
  const char* name;
  const char* summary;
  Action (*add)(CLI::App&);
};

constexpr Verb kVerbs[] = {
    {"ls", "list directories of a union", add_ls},
    {"stat", "show what a union says of files", add_stat},
    {"lookup", "say which layer a file comes from", add_lookup},
    {"tree", "show all of a union", add_tree},
    {"diff", "list what an upper layer changes", add_diff},
    {"verify", "check an index against its layers", add_verify},
    {"complete", "make an upper layer do without redirects and metacopies", add_complete},
    {"mount", "mount directories as a union", add_mount},
    {"umount", "unmount a union", add_umount},
    {"pack", "write a layer as an OCI layer tar", add_pack},
    {"unpack", "make a layer of an OCI layer tar", add_unpack},
};

struct Registered {
  CLI::App* app;
  Action action;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Unions of directories: look into them, mount them, take them apart"};
  app.name("strata union");
  app.set_version_flag("--version", std::string(kProgram) + " " + STRATA_VERSION);
  app.require_subcommand(1);
  std::vector<Registered> registered;
  for (const Verb& verb : kVerbs) {
    CLI::App* sub = app.add_subcommand(verb.name, verb.summary);
    registered.push_back({sub, verb.add(*sub)});
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {  // --help, --version
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    strata::print_error(kProgram, {EINVAL, std::string(e.what()) + " (see 'strata union --help')"});
    return kUsage;
  }
  for (const auto& [sub, action] : registered) {
    if (!sub->parsed()) continue;
    const auto status = action();
    if (status) return *status;
    strata::print_error(kProgram, status.error());
    return kFailure;
  }
  return kUsage;
}
