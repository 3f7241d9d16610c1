// The frame of every strata program of the runtime: global options, dispatch, errors.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "runtime/cli/command.h"
#include "runtime/cli/verbs.h"
#include "unionfs/base/standard_streams.h"
#include "unionfs/base/subprocess.h"
#include "unionfs/base/terminal.h"

namespace strata::cli {
namespace {

constexpr std::string_view kVersion = STRATA_VERSION;
constexpr const char* kDefaultRoot = "/var/lib/strata";

// Whether the command is none of `strata`'s verbs but belongs to a program that is one.
bool is_own(const Command& command) {
  return !command.summary.empty();
}

// As the user types it: "strata import", but "strata vm run" of the program strata-vm.
std::string full_name(std::string_view program, const Command& command) {
  std::string name = "strata ";
  if (is_own(command)) name.append(program.substr(program.find('-') + 1)).append(" ");
  return name.append(command.verb);
}

std::string help_line(std::string_view verb, std::string_view summary) {
  return "  " + std::string(verb) + std::string(10 - verb.size(), ' ') + std::string(summary) +
         "\n";
}

void print_help(std::string_view program, std::span<const Command> commands) {
  std::string text = "Usage: " + std::string(program) +
                     " [--root DIR] COMMAND [ARGUMENTS]\n\n"
                     "  --root DIR  where images and containers are kept\n"
                     "              ($STRATA_ROOT, or " +
                     kDefaultRoot +
                     ")\n"
                     "  --version   print the version\n"
                     "  --help      print this, or a command's own help after its name\n";
  std::vector<std::string_view> groups;
  const bool is_main = program == "strata";
  for (const auto& verb : verbs()) {
    if (!is_main && (verb.program != program || verb.is_program_name)) continue;
    if (std::find(groups.begin(), groups.end(), verb.group) == groups.end())
      groups.push_back(verb.group);
  }
  for (const auto group : groups) {
    text += "\n" + paint(STDOUT_FILENO, Colour::kBold, group) + "\n";
    for (const auto& verb : verbs()) {
      if (verb.group != group || (!is_main && verb.program != program)) continue;
      text += help_line(verb.name, verb.summary);
    }
  }
  if (std::any_of(commands.begin(), commands.end(), [](const auto& c) { return is_own(c); }))
    text += "\n" + paint(STDOUT_FILENO, Colour::kBold, "Commands") + "\n";
  for (const auto& command : commands)
    if (is_own(command)) text += help_line(command.verb, command.summary);
  std::fputs(text.c_str(), stdout);
}

// Runs another program of ours in place of this one; returns only on failure.
int exec_program(const std::string& program, const std::string& root, std::vector<char*> arguments,
                 std::string_view verb) {
  const auto path = find_own_program(program);
  if (!path) {
    print_error("strata",
                {ENOENT, "'" + std::string(verb) + "' is not a strata command (no " + program +
                             " beside strata or in PATH); see 'strata --help'"});
    return kUsage;
  }
  ::setenv("STRATA_ROOT", root.c_str(), 1);
  arguments.insert(arguments.begin(), const_cast<char*>(path->c_str()));
  arguments.push_back(nullptr);
  ::execv(path->c_str(), arguments.data());
  print_error("strata", posix_error("run " + *path));
  return kFailure;
}

// The last act: what was printed has arrived, or the status says that it has not.
int finish(std::string_view program, int status, int failure) {
  const auto flushed = flush_standard_output();
  if (flushed) return status;
  print_error(program, flushed.error());
  return status != 0 ? status : failure;
}

int run_command(std::string_view program, const Command& command, const Globals& globals,
                char* const* argv, std::vector<std::string> arguments) {
  const Verb* verb = is_own(command) ? nullptr : find_verb(command.verb);
  const int failure = verb != nullptr ? verb->failure_status : command.failure_status;
  if (command.first != nullptr) {
    if (const auto done = command.first(argv); !done) {
      print_error(program, done.error());
      return failure;
    }
  }
  CLI::App app{std::string(verb != nullptr ? verb->summary : command.summary)};
  app.name(full_name(program, command));
  const Action action = command.add(app);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them last first
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return finish(program, 0, failure);
  } catch (const CLI::CallForAllHelp&) {
    std::fputs(app.help("", CLI::AppFormatMode::All).c_str(), stdout);
    return finish(program, 0, failure);
  } catch (const CLI::ParseError& e) {
    print_error(program, {EINVAL, std::string(command.verb) + ": " + e.what() + " (see '" +
                                      app.get_name() + " --help')"});
    return failure == kFailure ? kUsage : failure;
  }
  const auto status = action(globals);
  if (!status) {
    print_error(program, status.error());
    return failure;
  }
  return finish(program, *status, failure);
}

}  // namespace

void report(const Error& error) {
  print_error("strata", error);
}

int run_program(std::string_view program, std::span<const Command> commands, int argc,
                char** argv) {
  open_standard_streams();
  const char* from_env = std::getenv("STRATA_ROOT");
  std::string root = from_env != nullptr && *from_env != '\0' ? from_env : kDefaultRoot;
  int at = 1;
  for (; at < argc && argv[at][0] == '-'; ++at) {
    const std::string_view option = argv[at];
    if (option == "--help" || option == "-h") {
      print_help(program, commands);
      return finish(program, 0, kFailure);
    }
    if (option == "--version") {
      std::printf("%s %s\n", std::string(program).c_str(), std::string(kVersion).c_str());
      return finish(program, 0, kFailure);
    }
    if (option == "--root" && at + 1 < argc) {
      root = argv[++at];
    } else if (option.starts_with("--root=")) {
      root = option.substr(7);
    } else {
      print_error(program, {EINVAL, "unknown option '" + std::string(option) + "' (see '" +
                                        std::string(program) + " --help')"});
      return kUsage;
    }
  }
  if (at == argc) {
    print_help(program, commands);
    return kUsage;
  }
  if (root.empty()) {
    print_error(program, {EINVAL, "--root must not be empty"});
    return kUsage;
  }
  root = std::filesystem::absolute(root).lexically_normal().string();

  const std::string_view name = argv[at];
  if (name == "help") {
    print_help(program, commands);
    return finish(program, 0, kFailure);
  }
  for (const auto& command : commands) {
    if (command.verb == name)
      return run_command(program, command, Globals{root}, argv, {argv + at + 1, argv + argc});
  }
  if (program != "strata") {
    print_error(program, {EINVAL, "unknown command '" + std::string(name) + "' (see '" +
                                      std::string(program) + " --help')"});
    return kUsage;
  }
  const Verb* verb = find_verb(name);
  const bool keep_verb = verb != nullptr && !verb->is_program_name;
  const std::string other =
      verb != nullptr ? std::string(verb->program) : "strata-" + std::string(name);
  return exec_program(other, root, {argv + at + (keep_verb ? 0 : 1), argv + argc}, name);
}

}  // namespace strata::cli
