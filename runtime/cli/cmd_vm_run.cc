// strata vm run [OPTIONS] IMAGE [--] [COMMAND…]

#include <fcntl.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>

#include "runtime/cli/vm_commands.h"
#include "runtime/image/interrupt.h"
#include "unionfs/base/file.h"

namespace strata::cli {
namespace {

struct Options : VmOptions {
  bool interactive = false;
  bool quiet = false;
  bool json = false;
  std::string report_file;
  double timeout_s = 0;
};

// What is done once takes its time; an interrupt then leaves nothing half-made. Later there is
// nothing to tidy up, and a signal ends us, and QEMU with us, as it does by default.
Result<vm::PreparedVm> prepare(const image::Store& store, const vm::VmRequest& request) {
  const image::InterruptGuard guard;
  Progress progress("vm:");
  STRATA_TRY(auto prepared, vm::prepare(store, request, report_to(progress)));
  STRATA_CHECK(image::check_interrupt());
  return prepared;
}

Result<int> run(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  STRATA_TRY(const vm::PreparedVm prepared, prepare(store, options.request));
  if (!options.quiet)
    (void)std::fprintf(stderr, "strata: accelerator: %s\n", describe(prepared.accelerator).c_str());

  const vm::GuestStreams streams{.in = options.interactive ? STDIN_FILENO : -1,
                                 .out = options.json ? STDERR_FILENO : STDOUT_FILENO,
                                 .err = STDERR_FILENO,
                                 .console = options.request.verbose ? STDERR_FILENO : -1};
  STRATA_TRY(const vm::VmReport report, vm::run(prepared, streams));
  if (!report.error.empty()) print_error("strata", {ENOEXEC, report.error});
  if (report.timed_out) print_error("strata", {ETIMEDOUT, "the command was stopped by --timeout"});
  if (report.out_of_memory)
    print_warning("strata", "the guest ran out of memory (" +
                                std::to_string(options.request.memory_mib) + " MiB; see -m)");
  if (options.json || !options.report_file.empty()) {
    STRATA_TRY(const std::string json, vm::report_to_json(prepared, report));
    if (options.json) std::printf("%s\n", json.c_str());
    if (!options.report_file.empty())
      STRATA_CHECK(write_file_atomic(options.report_file, json + "\n", Durability::kAtomic));
  }
  return report.exit_status;
}

Result<void> take_operands(const CLI::App& app, vm::VmRequest& request) {
  auto operands = app.remaining();
  const bool ended = !operands.empty() && operands.front() == "--";
  if (ended) operands.erase(operands.begin());
  if (operands.empty()) return fail(EINVAL, "vm run: give an image (see --help)");
  if (!ended && operands.front().starts_with('-'))
    return fail(EINVAL, "vm run: unknown option " + operands.front() + " (see --help)");
  request.image = operands.front();
  operands.erase(operands.begin());
  if (!operands.empty() && operands.front() == "--") operands.erase(operands.begin());
  request.command = std::move(operands);
  return {};
}

// For CLI11: what is wrong, or nothing.
std::string check_timeout(const std::string& text) {
  constexpr double kMost = 1e9;  // thirty years
  double seconds = 0;
  if (CLI::detail::lexical_cast(text, seconds) && seconds > 0 && seconds <= kMost) return {};
  return "'" + text + "' is not a number of seconds (more than 0, at most 1e9)";
}

// CLI11 knows nothing of operands that it does not parse.
class Formatter : public CLI::Formatter {
 public:
  std::string make_usage(const CLI::App* /*app*/, std::string name) const override {
    return "Usage: " + name + " [OPTIONS] IMAGE [--] [COMMAND [ARGUMENT…]]\n";
  }
};

}  // namespace

Action add_vm_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.prefix_command();
  app.formatter(std::make_shared<Formatter>());
  add_machine_options(app, *options);
  auto& request = options->request;
  app.add_flag("-i,--interactive", options->interactive, "feed standard input to the command");
  app.add_option("-e,--env", request.env, "NAME=value, or NAME with our own value")
      ->allow_extra_args(false);
  app.add_option("-w,--workdir", request.working_dir, "directory that the command starts in");
  app.add_option("-u,--user", request.user, "USER[:GROUP], by name or number");
  app.add_option("--entrypoint", request.entrypoint,
                 "replace the image's ENTRYPOINT, drop its CMD");
  app.add_option("--timeout", options->timeout_s, "stop the command after so many seconds")
      ->check(CLI::Validator(check_timeout, "SECONDS"));
  app.add_flag("--console", request.verbose, "show the guest's console on standard error");
  app.add_flag("-q,--quiet", options->quiet, "don't say which accelerator is used");
  app.add_flag("--json", options->json,
               "print a report as JSON; what the command writes goes to standard error");
  app.add_option("--report", options->report_file, "write that report to a file");
  app.footer(
      "The command writes to a file system in the guest's memory, which goes with it.\n"
      "Exit status: the command's (128 + n if signal n ended it), 124 after --timeout, 125 if "
      "strata or the guest failed, 126 if the command can't be executed, 127 if it is not there.");
  return [options, &app](const Globals& globals) -> Result<int> {
    STRATA_CHECK(take_operands(app, options->request));
    STRATA_CHECK(finish_machine_options(*options));
    if (options->timeout_s > 0)
      options->request.timeout = std::chrono::milliseconds(std::llround(options->timeout_s * 1000));
    return run(globals, *options);
  };
}

}  // namespace strata::cli
