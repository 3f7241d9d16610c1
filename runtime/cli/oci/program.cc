#include "runtime/cli/oci/program.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <vector>

#include "runtime/bundle/container.h"
#include "runtime/linux/own_user_namespace.h"
#include "unionfs/base/standard_streams.h"

namespace strata::cli {
namespace {

constexpr std::string_view kUsage =
    "Usage: strata-oci [OPTIONS] COMMAND [ARGUMENTS]\n\n"
    "  --root DIR           where the state of containers is kept (/run/strata-oci)\n"
    "  --log FILE           write log lines there in place of standard error\n"
    "  --log-format FORMAT  text or json\n"
    "  --debug              log more\n"
    "  --systemd-cgroup     make cgroups by systemd (refused: only by cgroupfs)\n"
    "  --rootless BOOL      do without cgroups that may not be made: auto (if not root), true, "
    "false\n"
    "  --version            print the version\n"
    "  --help               print this, or a command's own help after its name\n\n"
    "Commands\n";

void print_usage(std::span<const OciCommand> commands) {
  std::string text(kUsage);
  for (const auto& command : commands)
    text += "  " + std::string(command.verb) + std::string(12 - command.verb.size(), ' ') +
            std::string(command.summary) + "\n";
  print(text);
}

// As engines take it apart: a first line with the name, and the specification's version.
void print_version() {
  print(std::string("strata-oci version ") + STRATA_VERSION + "\nspec: " + bundle::kOciVersion +
        "\n");
}

// A user's own directory, also for who is root of a user namespace only: /run is not theirs.
std::filesystem::path default_root() {
  const char* runtime_dir = std::getenv("XDG_RUNTIME_DIR");
  if (runtime_dir != nullptr && *runtime_dir != '\0' &&
      (::geteuid() != 0 || linux::in_user_namespace()))
    return std::filesystem::path(runtime_dir) / "strata-oci";
  return "/run/strata-oci";
}

struct GlobalOptions {
  std::string root, log, log_format = "text", rootless = "auto";
  bool debug = false, systemd_cgroup = false, help = false, version = false;

  [[nodiscard]] bool* flag(std::string_view name) {
    if (name == "debug") return &debug;
    if (name == "systemd-cgroup") return &systemd_cgroup;
    if (name == "help" || name == "h") return &help;
    if (name == "version" || name == "v") return &version;
    return nullptr;
  }
  [[nodiscard]] std::string* value(std::string_view name) {
    if (name == "root") return &root;
    if (name == "log") return &log;
    if (name == "log-format") return &log_format;
    if (name == "rootless") return &rootless;
    return nullptr;
  }
};

// Reads what stands before the command, as Go's flag package does: "-x", "--x", "--x=value".
// Returns where the command is.
Result<int> parse_globals(int argc, char** argv, GlobalOptions& options) {
  int at = 1;
  for (; at < argc && argv[at][0] == '-'; ++at) {
    std::string_view option = argv[at];
    option.remove_prefix(option.starts_with("--") ? 2 : 1);
    const auto equals = option.find('=');
    const auto name = option.substr(0, equals);
    if (bool* flag = options.flag(name)) {
      *flag = equals == std::string_view::npos || option.substr(equals + 1) != "false";
    } else if (std::string* value = options.value(name)) {
      if (equals == std::string_view::npos && at + 1 == argc)
        return fail(EINVAL, "flag needs an argument: --" + std::string(name));
      *value =
          equals == std::string_view::npos ? argv[++at] : std::string(option.substr(equals + 1));
    } else {
      return fail(EINVAL, "flag provided but not defined: -" + std::string(name));
    }
  }
  return at;
}

Result<void> apply(const GlobalOptions& options, OciGlobals& globals) {
  if (options.log_format != "text" && options.log_format != "json")
    return fail(EINVAL, "invalid log-format '" + options.log_format + "': give text or json");
  if (options.log_format == "json") globals.log.set_format(bundle::LogFormat::kJson);
  globals.log.set_debug(options.debug);
  STRATA_CHECK(globals.log.open(options.log));
  if (options.rootless != "auto" && options.rootless != "true" && options.rootless != "false")
    return fail(EINVAL, "invalid --rootless '" + options.rootless + "': give auto, true or false");
  if (options.rootless != "auto")
    globals.rootless = options.rootless == "true" ? bundle::Rootless::kYes : bundle::Rootless::kNo;
  globals.systemd_cgroup = options.systemd_cgroup;
  const std::filesystem::path root =
      options.root.empty() ? default_root() : std::filesystem::path(options.root);
  globals.root = std::filesystem::absolute(root).lexically_normal();
  return {};
}

int finish(OciGlobals& globals, int status) {
  const auto flushed = flush_standard_output();
  if (flushed) return status;
  globals.log.fatal(flushed.error().what);
  return status != 0 ? status : kOciFailure;
}

// What it has done so far is undone on the way out.
Result<int> perform(const OciAction& action, OciGlobals& globals) {
  try {
    return action(globals);
  } catch (const std::bad_alloc&) {
    return fail(ENOMEM, "out of memory");
  }
}

int run_command(const OciCommand& command, OciGlobals& globals,
                std::vector<std::string> arguments) {
  CLI::App app{std::string(command.summary)};
  app.name("strata-oci " + std::string(command.verb));
  const OciAction action = command.add(app);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return finish(globals, 0);
  } catch (const CLI::ParseError& e) {
    globals.log.fatal(std::string(command.verb) + ": " + e.what() + " (see '" + app.get_name() +
                      " --help')");
    return command.failure_status;
  }
  const auto status = perform(action, globals);
  if (status) return finish(globals, *status);
  globals.log.fatal(status.error().what);
  return command.failure_status;
}

}  // namespace

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int run_oci_program(std::span<const OciCommand> commands, int argc, char** argv) {
  open_standard_streams();
  OciGlobals globals;
  GlobalOptions options;
  const auto at = parse_globals(argc, argv, options);
  if (!at) {
    globals.log.fatal(at.error().what);
    return kOciFailure;
  }
  if (options.version) {
    print_version();
    return finish(globals, 0);
  }
  const std::string_view verb = *at < argc ? argv[*at] : "help";
  if (options.help || verb == "help") {
    print_usage(commands);
    return finish(globals, 0);
  }
  const auto command = std::find_if(commands.begin(), commands.end(),
                                    [&](const OciCommand& c) { return c.verb == verb; });
  auto ready = command != commands.end() && command->first != nullptr ? command->first(argv)
                                                                      : Result<void>();
  if (ready) ready = apply(options, globals);
  if (ready && command == commands.end())
    ready = fail(EINVAL, "no command '" + std::string(verb) + "' (see 'strata-oci --help')");
  if (!ready) {
    globals.log.fatal(ready.error().what);
    return kOciFailure;
  }
  return run_command(*command, globals, {argv + *at + 1, argv + argc});
}

}  // namespace strata::cli
