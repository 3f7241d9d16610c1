// strata-oci exec [OPTIONS] CONTAINER-ID COMMAND [ARGUMENT…]

#include "runtime/bundle/exec.h"
#include "runtime/bundle/foreground.h"
#include "runtime/cli/oci/oci_command.h"
#include "unionfs/base/file.h"

namespace strata::cli {
namespace {

struct Options {
  std::string id, process_file;
  bundle::ProcessChanges changes;
  bundle::ExecOptions exec;
  std::string cwd, process_label, apparmor, cgroup;
  bool terminal = false, detach = false;
};

Result<void> take_operands(const CLI::App& app, Options& options) {
  auto operands = app.remaining();
  if (!operands.empty() && operands.front() == "--") operands.erase(operands.begin());
  if (operands.empty()) return fail(EINVAL, "exec: give a container-id (see --help)");
  if (operands.front().starts_with('-'))
    return fail(EINVAL, "exec: flag provided but not defined: " + operands.front());
  options.id = std::move(operands.front());
  options.changes.args.assign(operands.begin() + 1, operands.end());
  if (options.changes.args.empty() && options.process_file.empty())
    return fail(EINVAL, "process args cannot be empty");
  return {};
}

// The whole process from a file, or the container's own with changes.
Result<oci::Process> make_process(const bundle::Container& container, const Options& options) {
  if (!options.process_file.empty()) {
    STRATA_TRY(const auto text, read_file(options.process_file));
    STRATA_TRY(auto process, oci::process_from_json(text, options.process_file));
    // Engines ask for a terminal in the file, on the command line, or in both.
    process.terminal = process.terminal || options.terminal;
    return process;
  }
  auto changes = options.changes;
  changes.terminal = options.terminal;
  if (!options.cwd.empty()) changes.cwd = options.cwd;
  STRATA_TRY(auto process, bundle::changed_process(container, changes));
  if (!options.apparmor.empty()) process.apparmor_profile = options.apparmor;
  if (!options.process_label.empty()) process.selinux_label = options.process_label;
  return process;
}

Result<int> exec(OciGlobals& globals, Options& options) {
  if (!options.cgroup.empty())
    return fail(ENOTSUP, "exec: --cgroup is not supported: programs join the container's cgroup");
  STRATA_TRY(const auto container, bundle::Container::load(globals.root, options.id));
  STRATA_TRY(const auto process, make_process(container, options));
  options.exec.keep_console = !options.detach && options.exec.console_socket.empty();
  if (options.detach) {
    auto launched = bundle::exec(container, process, options.exec);
    if (!launched) return fail_in("exec failed", std::move(launched).error());
    return 0;
  }
  STRATA_TRY(auto signals, container::SignalRelay::open());
  auto launched = bundle::exec(container, process, options.exec);
  if (!launched) return fail_in("exec failed", std::move(launched).error());
  return bundle::stay_with(*launched, signals);
}

}  // namespace

OciAction add_oci_exec(CLI::App& app) {
  auto options = std::make_shared<Options>();
  auto& changes = options->changes;
  app.prefix_command();  // what follows the first operand may have options of its own
  app.footer("The options are followed by CONTAINER-ID COMMAND [ARGUMENT…].");
  app.add_option("--console-socket", options->exec.console_socket,
                 "Unix socket that gets the terminal's master");
  app.add_option("--cwd", options->cwd, "directory that the command starts in");
  app.add_option("-e,--env", changes.env, "NAME=value")->allow_extra_args(false);
  app.add_flag("-t,--tty", options->terminal, "give the command a terminal");
  app.add_option("-u,--user", changes.user, "UID[:GID]");
  app.add_option("-g,--additional-gids", changes.additional_gids, "further groups")
      ->allow_extra_args(false);
  app.add_option("-p,--process", options->process_file, "file with the whole process as JSON");
  app.add_flag("-d,--detach", options->detach, "don't stay with the command");
  app.add_option("--pid-file", options->exec.pid_file, "file that gets the process ID");
  app.add_option("--process-label", options->process_label, "SELinux label");
  app.add_option("--apparmor", options->apparmor, "AppArmor profile");
  app.add_flag("--no-new-privs", changes.no_new_privileges, "no new privileges by execve");
  app.add_option("-c,--cap", changes.capabilities, "a capability to add")->allow_extra_args(false);
  app.add_option("--preserve-fds", options->exec.preserved_fds,
                 "pass so many more descriptors than the standard streams");
  app.add_option("--cgroup", options->cgroup, "(refused)");
  app.add_flag("--ignore-paused", options->exec.ignore_paused, "enter a paused container, too");
  app.add_flag("--no-subreaper")->description("accepted for compatibility: it is none");
  return [options, &app](OciGlobals& globals) -> Result<int> {
    STRATA_CHECK(take_operands(app, *options));
    return exec(globals, *options);
  };
}

}  // namespace strata::cli
