// strata exec [OPTIONS] CONTAINER COMMAND…

#include "runtime/cli/container_commands.h"
#include "runtime/container/exec.h"

namespace strata::cli {
namespace {

struct Options {
  container::ExecOptions exec;
  std::string container;
  std::vector<std::string> env_files;
};

Result<void> finish(const CLI::App& app, Options& options) {
  STRATA_TRY(auto operands, take_operands(app, "a container"));
  if (operands.command.empty()) return fail(EINVAL, "exec: give a command to run");
  options.container = std::move(operands.first);
  options.exec.args = std::move(operands.command);
  STRATA_TRY(options.exec.env, resolve_env(options.exec.env, options.env_files));
  return check_terminal(options.exec.terminal, options.exec.input && !options.exec.detach);
}

Result<int> exec(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open_existing(globals.root));
  STRATA_TRY(const auto container, container::Container::find(store, options.container));
  STRATA_TRY(const auto result, container::exec(container, options.exec));
  if (!result.failure) return result.status;
  report(result.failure->error);
  return result.failure->status;
}

}  // namespace

Action add_exec(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto& exec_options = options->exec;
  expect_operands(app, "CONTAINER COMMAND [ARGUMENT…]");
  app.add_flag("-d,--detach", exec_options.detach, "don't wait; the command gets no streams");
  app.add_flag("-i,--interactive", exec_options.input, "feed standard input to the command");
  app.add_flag("-t,--tty", exec_options.terminal, "give the command a terminal");
  app.add_option("-e,--env", exec_options.env, "NAME=value, or NAME with our own value")
      ->allow_extra_args(false);
  app.add_option("--env-file", options->env_files, "file of such lines")->allow_extra_args(false);
  app.add_option("-w,--workdir", exec_options.working_dir, "directory that the command starts in");
  app.add_option("-u,--user", exec_options.user, "USER[:GROUP], by name or number");
  app.footer(
      "Exit status: the command's (128 + n if signal n ended it), 125 if strata failed, 126 if the "
      "command can't be executed, 127 if it is not there.");
  return [options, &app](const Globals& globals) -> Result<int> {
    STRATA_CHECK(finish(app, *options));
    return exec(globals, *options);
  };
}

}  // namespace strata::cli
