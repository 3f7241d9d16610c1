// strata vm run|prepare|check

#include <cstdio>
#include <map>
#include <memory>

#include "runtime/cli/vm_commands.h"
#include "runtime/vm/vm.h"
#include "unionfs/base/json.h"
#include "unionfs/base/terminal.h"

namespace strata::cli {
namespace {

struct Options {
  std::string image;
  std::vector<std::string> command;
  vm::Machine machine = vm::Machine::kMicrovm;
  std::string accelerator = "auto";
  unsigned memory_mib = 256;
  unsigned timeout_s = 0;
  bool json = false;
};

struct Prepared {
  vm::Request request;
  std::string why;  // why this accelerator
};

Result<Prepared> prepare(const Globals& globals, const Options& options) {
  STRATA_TRY(const image::Store store, image::Store::open(globals.root));
  STRATA_TRY(const image::Image image, store.get(options.image));
  Prepared prepared;
  auto& request = prepared.request;
  request.machine = options.machine;
  request.memory_mib = options.memory_mib;
  STRATA_TRY(request.command, vm::command_for(image, options.command));
  STRATA_TRY(request.kernel, vm::find_kernel(store));
  STRATA_TRY(request.disk, vm::find_disk(store, image));
  if (options.timeout_s > 0) request.timeout = std::chrono::seconds(options.timeout_s);
  if (options.accelerator == "auto") {
    STRATA_TRY(const auto verdict, vm::choose_accelerator(store, request));
    request.accelerator = verdict.accelerator;
    prepared.why = verdict.reason;
  } else {
    request.accelerator =
        options.accelerator == "kvm" ? vm::Accelerator::kKvm : vm::Accelerator::kTcg;
    prepared.why = "asked for";
  }
  return prepared;
}

void print_report(const Prepared& prepared, const vm::Report& report) {
  const auto& request = prepared.request;
  const OrderedJson json = {{"accelerator", vm::name_of(request.accelerator)},
                            {"accelerator_reason", prepared.why},
                            {"machine", vm::name_of(request.machine)},
                            {"kernel", request.kernel.version},
                            {"command", request.command.args},
                            {"exit_status", report.exit_status},
                            {"first_output_ns", report.first_output.count()},
                            {"total_ns", report.total.count()},
                            {"qemu", report.qemu}};
  std::printf("%s\n", json.dump(2, ' ', false, OrderedJson::error_handler_t::replace).c_str());
}

Result<int> run(const Globals& globals, const Options& options) {
  STRATA_TRY(Prepared prepared, prepare(globals, options));
  prepared.request.discard_output = options.json;
  // Said aloud: software emulation must never pass for a hardware VM.
  std::fprintf(stderr, "accelerator: %s (%s)\n",
               std::string(vm::name_of(prepared.request.accelerator)).c_str(),
               prepared.why.c_str());
  STRATA_TRY(const vm::Report report, vm::run(prepared.request));
  if (options.json) print_report(prepared, report);
  return report.exit_status;
}

void add_machine_options(CLI::App& app, Options& options) {
  const std::map<std::string, vm::Machine> machines{{"microvm", vm::Machine::kMicrovm},
                                                    {"q35", vm::Machine::kQ35}};
  app.add_option("--machine", options.machine, "microvm or q35 (default: microvm)")
      ->transform(CLI::CheckedTransformer(machines))
      ->type_name("NAME");
  app.add_option("--accel", options.accelerator, "auto, kvm or tcg")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  app.add_option("-m,--memory", options.memory_mib, "memory in MiB")
      ->check(CLI::Range(128U, 1U << 20))
      ->capture_default_str();
}

}  // namespace

Action add_vm_run(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_machine_options(app, *options);
  app.add_option("--timeout", options->timeout_s, "stop the guest after so many seconds");
  app.add_flag("--json", options->json, "print a report in place of the guest's output");
  app.add_option("IMAGE", options->image, "name or ID")->required();
  app.add_option("COMMAND", options->command, "after '--'; in the place of the image's CMD");
  return [options](const Globals& globals) { return run(globals, *options); };
}

Action add_vm_prepare(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_machine_options(app, *options);
  app.add_option("IMAGE", options->image, "its disk and the kernel are made ready")->required();
  return [options](const Globals& globals) -> Result<int> {
    options->command = {"/bin/true"};
    STRATA_TRY(const Prepared prepared, prepare(globals, *options));
    std::printf("kernel %s\ndisk %s\naccelerator %s (%s)\n",
                prepared.request.kernel.version.c_str(), prepared.request.disk.c_str(),
                std::string(vm::name_of(prepared.request.accelerator)).c_str(),
                prepared.why.c_str());
    return 0;
  };
}

Action add_vm_check(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_machine_options(app, *options);
  app.add_option("IMAGE", options->image, "the image to try with")->required();
  return [options](const Globals& globals) -> Result<int> {
    options->command = {"/bin/true"};
    STRATA_TRY(const Prepared prepared, prepare(globals, *options));
    std::printf("%s: %s\n", std::string(vm::name_of(prepared.request.accelerator)).c_str(),
                prepared.why.c_str());
    return 0;
  };
}

}  // namespace strata::cli
