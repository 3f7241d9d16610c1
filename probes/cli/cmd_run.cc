#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "probes/cli/commands.h"
#include "probes/cli/signals.h"
#include "probes/startup.h"
#include "probes/timeline.h"
#include "unionfs/base/file.h"
#include "unionfs/base/stream.h"
#include "unionfs/base/terminal.h"

namespace strata::probes::cli {
namespace {

struct Options {
  std::vector<std::string> argv;
  std::string json;
  bool no_timeline = false;
  bool no_calls = false;
  bool anyway = false;
  bool follow = false;
  unsigned linger_ms = 200;
  unsigned rows = 40;
  unsigned buffer_kib = 4096;
};

size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  const char* columns = std::getenv("COLUMNS");
  const int value = columns != nullptr ? std::atoi(columns) : 0;
  return value > 0 ? static_cast<size_t>(value) : 100;
}

Result<void> write_json(const StartupTrace& trace, const std::string& path) {
  const std::string text = to_json(trace);
  const auto bytes = std::as_bytes(std::span(text));
  if (path == "-") return FdSink(STDOUT_FILENO, "standard output").write(bytes);
  std::error_code ec;
  const auto status = std::filesystem::status(path, ec);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status))
    return write_file_atomic(path, text, Durability::kAtomic);
  // A pipe or a device is written to, not replaced.
  STRATA_TRY(const UniqueFd fd, open_file(path, O_WRONLY));
  return FdSink(fd.get(), path).write(bytes);
}

// The command could not be executed; says so and gives the status that shells have for it.
int report_start_error(const StartupTrace& trace) {
  print_error(kProgram, posix_error("execute " + trace.argv.front(), trace.end.start_error));
  return trace.end.status;
}

// In place of this process: what is left when BPF is refused and the command matters more.
int run_without_probe(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::execvp(argv.front(), argv.data());
  const int error = errno;
  print_error(kProgram, posix_error("execute " + arguments.front(), error));
  return error == ENOENT ? 127 : 126;
}

Result<int> run_startup(const Options& options) {
  auto probe = StartupProbe::open(
      {.keep_calls = !options.no_calls, .call_buffer_bytes = size_t{options.buffer_kib} * 1024});
  if (!probe) {
    if (!options.anyway) return std::unexpected(std::move(probe).error());
    print_warning(kProgram, probe.error().what + "; the command runs without the probe");
    return run_without_probe(options.argv);
  }
  STRATA_TRY(SignalRelay signals, SignalRelay::install());
  WatchedCommand command{.argv = options.argv};
  if (options.follow) {
    command.linger = std::nullopt;
  } else {
    command.linger = std::chrono::milliseconds(options.linger_ms);
  }
  command.stop_fd = signals.stop_fd();
  command.on_start = [&](int pidfd) { signals.pass_on_to(pidfd); };

  STRATA_TRY(const StartupTrace trace, probe->run(command));
  if (trace.end.start_error != 0) return report_start_error(trace);
  if (!options.no_timeline) {
    const std::string text = draw_timeline(
        trace, {.width = terminal_width(), .fd = STDERR_FILENO, .process_limit = options.rows});
    std::fprintf(stderr, "\n%s", text.c_str());
  }
  if (!options.json.empty()) STRATA_CHECK(write_json(trace, options.json));
  return trace.end.status;
}

}  // namespace

Action add_run(CLI::App& app) {
  app.require_subcommand(1);
  app.footer("'strata probe list' names the probes.");
  const auto options = std::make_shared<Options>();
  CLI::App* startup = app.add_subcommand(
      "startup", "forks, execs, exits and system calls of the command's process tree");
  startup->add_option("--json", options->json, "also write the trace as JSON; -: standard output")
      ->type_name("FILE");
  startup->add_flag("--no-timeline", options->no_timeline,
                    "don't draw the timeline on standard error");
  startup->add_flag("--no-calls", options->no_calls,
                    "keep sums of system calls only, not every call: less overhead, coarser bars");
  startup->add_flag("--follow", options->follow,
                    "watch until the whole tree has ended, daemons included; Ctrl-C ends it");
  startup
      ->add_option("--linger", options->linger_ms,
                   "without --follow: watch what the command left running that long after its end")
      ->type_name("MS")
      ->capture_default_str();
  startup->add_option("--rows", options->rows, "processes drawn; 0: all")->capture_default_str();
  startup->add_option("--buffer", options->buffer_kib, "room for single calls on their way to us")
      ->type_name("KIB")
      ->capture_default_str();
  startup->add_flag("--anyway", options->anyway,
                    "where BPF is refused, warn and run the command without the probe");
  startup->add_option("command", options->argv, "the command and its arguments, after --")
      ->type_name("CMD")
      ->required();
  startup->footer(
      "The timeline goes to standard error. Exit status: the command's, 128 + N if signal N\n"
      "killed it; 125 if the probe failed, 126 or 127 if the command can't be executed or found.");
  return [options] { return run_startup(*options); };
}

}  // namespace strata::probes::cli
