#include "runtime/cli/container_commands.h"

#include <unistd.h>

#include <cstdlib>

#include "runtime/container/attach.h"
#include "runtime/container/control.h"
#include "runtime/container/environment.h"
#include "runtime/container/terminal.h"
#include "unionfs/base/file.h"
#include "unionfs/base/terminal.h"

namespace strata::cli {
namespace {

constexpr size_t kMaxEnvFile = size_t{1} << 20;

// CLI11 knows nothing of operands that it does not parse.
class OperandsFormatter : public CLI::Formatter {
 public:
  explicit OperandsFormatter(std::string operands) : operands_(std::move(operands)) {}

  std::string make_usage(const CLI::App* /*app*/, std::string name) const override {
    return "Usage: " + name + " [OPTIONS] " + operands_ + "\n";
  }

 private:
  std::string operands_;
};

Result<void> parse_limits(ContainerOptions& options) {
  auto& limits = options.create.limits;
  if (!options.memory.empty()) {
    STRATA_TRY(limits.memory_limit, container::parse_memory(options.memory));
  }
  if (!options.cpus.empty()) STRATA_CHECK(container::parse_cpus(options.cpus, limits));
  if (options.pids_limit != 0) limits.pids_limit = options.pids_limit;
  return {};
}

Result<void> parse_volumes(ContainerOptions& options) {
  std::error_code ec;
  const std::string here = std::filesystem::current_path(ec).string();
  for (const auto& text : options.volumes) {
    STRATA_TRY(auto volume, container::parse_volume(text, here));
    options.create.volumes.push_back(std::move(volume));
  }
  return {};
}

// A failed start as the exit status that docker's users expect, its error printed.
int report_failure(const container::StartFailure& failure) {
  report(failure.error);
  return failure.status;
}

// The size of the user's terminal, whichever stream it is.
std::optional<winsize> our_size() {
  auto size = container::terminal_size(STDIN_FILENO);
  return size ? size : container::terminal_size(STDOUT_FILENO);
}

// Nobody will come back for a container whose monitor died before anything was recorded of it, or
// that was to remove itself.
void clear_failed(const container::Container& container) {
  const bool recorded = ::access(container.files().record().c_str(), F_OK) == 0;
  if (container.record().auto_remove || !recorded) (void)container::remove(container, true);
}

}  // namespace

void add_container_options(CLI::App& app, ContainerOptions& options) {
  auto& create = options.create;
  expect_operands(app, "IMAGE [COMMAND [ARGUMENT…]]");
  app.add_flag("-i,--interactive", create.open_stdin, "feed standard input to the command");
  app.add_flag("-t,--tty", create.terminal, "give the command a terminal");
  app.add_flag("--rm", create.auto_remove, "remove the container when it has ended");
  app.add_option("--name", create.name, "name of the container");
  app.add_option_function<std::string>(
         "--union",
         [&create](const std::string& name) { create.presenter = unionfs::parse_presenter(name); },
         "how the image's layers are shown: overlay, flat (one EROFS image of their metadata) or "
         "copy (default: what suits the image, see 'strata check')")
      ->check(CLI::IsMember({"overlay", "flat", "copy"}));
  // One value each time it is given: what follows is the image.
  app.add_option("-e,--env", create.env, "NAME=value, or NAME with our own value")
      ->allow_extra_args(false);
  app.add_option("--env-file", options.env_files, "file of such lines")->allow_extra_args(false);
  app.add_option("-w,--workdir", create.working_dir, "directory that the command starts in");
  app.add_option("-u,--user", create.user, "USER[:GROUP], by name or number");
  app.add_option("-v,--volume", options.volumes,
                 "SRC:DST[:ro]: show a path of the host; a SRC that is missing becomes a directory")
      ->allow_extra_args(false);
  app.add_option("--entrypoint", create.entrypoint, "replace the image's ENTRYPOINT, drop its CMD");
  app.add_option("--hostname", create.hostname, "host name inside");
  app.add_option("--network", options.network, "none (only loopback) or host")
      ->capture_default_str();
  app.add_option("--stop-signal", create.stop_signal, "signal that 'strata stop' sends");
  app.add_option("-m,--memory", options.memory, "most memory it may use (512m, 2g)");
  app.add_option("--cpus", options.cpus, "most CPUs it may use (1.5)");
  app.add_option("--pids-limit", options.pids_limit, "most processes it may have; -1: no limit");
  app.add_flag("--read-only", create.read_only, "make the root file system read-only");
}

Result<std::vector<std::string>> resolve_env(const std::vector<std::string>& env,
                                             const std::vector<std::string>& files) {
  std::vector<std::string> all;
  for (const auto& file : files) {
    STRATA_TRY(const std::string text, read_file(file, kMaxEnvFile));
    STRATA_TRY(const auto lines, container::parse_env_file(text, file));
    all.insert(all.end(), lines.begin(), lines.end());
  }
  all.insert(all.end(), env.begin(), env.end());
  for (auto& variable : all) {
    if (variable.find('=') != std::string::npos) continue;
    if (const char* value = std::getenv(variable.c_str())) variable.append("=").append(value);
  }
  return all;
}

void expect_operands(CLI::App& app, std::string operands) {
  app.prefix_command();
  app.formatter(std::make_shared<OperandsFormatter>(std::move(operands)));
}

Result<Operands> take_operands(const CLI::App& app, std::string_view what) {
  auto operands = app.remaining();
  // "--" ends the options, too.
  const bool ended = !operands.empty() && operands.front() == "--";
  if (ended) operands.erase(operands.begin());
  if (operands.empty())
    return fail(EINVAL, app.get_name() + ": give " + std::string(what) + " (see --help)");
  if (!ended && operands.front().starts_with('-') && operands.front().size() > 1)
    return fail(EINVAL, app.get_name() + ": unknown option " + operands.front() + " (see --help)");
  Operands taken;
  taken.first = std::move(operands.front());
  taken.command.assign(operands.begin() + 1, operands.end());
  return taken;
}

Result<void> finish_container_options(const CLI::App& app, ContainerOptions& options) {
  STRATA_TRY(auto operands, take_operands(app, "an image"));
  options.image = std::move(operands.first);
  options.create.command = std::move(operands.command);
  STRATA_TRY(options.create.network, container::parse_network(options.network));
  STRATA_TRY(options.create.env, resolve_env(options.create.env, options.env_files));
  STRATA_CHECK(parse_limits(options));
  return parse_volumes(options);
}

int for_each_container(const Globals& globals, const std::vector<std::string>& names, int failure,
                       const std::function<Result<void>(const container::Container&)>& work) {
  const auto store = image::Store::open_existing(globals.root);
  if (!store) {
    report(store.error());
    return failure;
  }
  int status = 0;
  for (const auto& name : names) {
    const auto container = container::Container::find(*store, name);
    const auto done =
        container ? work(*container) : Result<void>(std::unexpected(container.error()));
    if (done) continue;
    report(done.error());
    status = failure;
  }
  return status;
}

Result<void> check_terminal(bool terminal, bool input) {
  if (!terminal || !input || ::isatty(STDIN_FILENO) != 0) return {};
  return fail(EINVAL, "standard input is not a terminal: leave -t or -i out");
}

Result<int> start_attached(const container::Container& container, container::ContainerLock lock,
                           bool input) {
  // From here on signals are for the command.
  STRATA_TRY(auto signals, container::SignalRelay::open());
  const bool terminal = container.record().terminal;
  STRATA_TRY(auto connection,
             container::start(container, std::move(lock),
                              {.attach = input || terminal, .follow = true, .size = our_size()}));
  auto started = container::await_start(connection.channel.get());
  if (!started) {
    clear_failed(container);
    return std::unexpected(std::move(started).error());
  }
  if (started->failure) return report_failure(*started->failure);
  STRATA_TRY(auto ending, container::attach(connection, std::move(started->running), signals,
                                            {.input = input, .terminal = terminal}));
  using Touch = container::Ending::Touch;
  if (ending.touch != Touch::kKept)
    STRATA_CHECK(container::stop_abandoned(container, ending.touch == Touch::kHungUp));
  if (ending.touch == Touch::kOutputLost) return fail(EPIPE, std::move(ending.problem));
  if (!ending.problem.empty())
    print_warning("strata", "container " + container.name() + ": " + ending.problem);
  return ending.status;
}

Result<int> start_detached(const container::Container& container, container::ContainerLock lock) {
  STRATA_TRY(const auto connection, container::start(container, std::move(lock), {}));
  const auto started = container::await_start(connection.channel.get());
  if (!started) {
    clear_failed(container);
    return std::unexpected(started.error());
  }
  return started->failure ? report_failure(*started->failure) : 0;
}

}  // namespace strata::cli
