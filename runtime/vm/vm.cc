#include "runtime/vm/vm.h"

#include <unistd.h>

#include <algorithm>

#include "runtime/vm/disk.h"
#include "runtime/vm/guest_config.h"
#include "runtime/vm/qemu.h"
#include "unionfs/base/json.h"

namespace strata::vm {
namespace {

constexpr int kTimedOut = 124;  // as timeout(1)
constexpr uint64_t kLeastMemoryMib = 128;
constexpr unsigned kMostCpus = 64;
constexpr size_t kQuotedConsole = 2000;

Result<void> check(const VmRequest& request) {
  if (request.memory_mib < kLeastMemoryMib)
    return fail(EINVAL, "a guest needs at least " + std::to_string(kLeastMemoryMib) + " MiB");
  if (request.cpus == 0 || request.cpus > kMostCpus)
    return fail(EINVAL, "a guest has 1 to " + std::to_string(kMostCpus) + " CPUs");
  if (request.kernel.empty() != request.modules.empty())
    return fail(EINVAL, "a kernel of your own comes with its modules: give both or none");
  return {};
}

Result<Kernel> choose_kernel(const image::Store& store, const VmRequest& request,
                             const Report& report) {
  if (!request.kernel.empty()) return custom_kernel(request.kernel, request.modules);
  STRATA_TRY(const auto kernel, find_kernel(store));
  if (kernel) return *kernel;
  return fetch_kernel(store, report);
}

Result<Verdict> choose_accelerator(const image::Store& store, const VmRequest& request,
                                   const Kernel& kernel, const Report& report) {
  if (request.accelerator) return Verdict{*request.accelerator, "asked for"};
  return decide_accelerator(store, kernel, report);
}

QemuPlan make_plan(const PreparedVm& vm) {
  QemuPlan plan{.hardware = {vm.request.machine, vm.accelerator.accelerator, vm.request.memory_mib,
                             vm.request.cpus},
                .kernel = vm.kernel.image,
                .disk = vm.disk,
                .verbose = vm.request.verbose};
  if (plan.hardware.accelerator == Accelerator::kTcg) plan.tsc_khz = measure_tsc_khz();
  return plan;
}

// The end of what was said, in lines of their own, fit for a terminal.
std::string quote(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.size() > kQuotedConsole) text.remove_prefix(text.size() - kQuotedConsole);
  std::string quoted;
  for (const char c : text)
    if (c == '\n' || c == '\t' || static_cast<unsigned char>(c) >= ' ') quoted.push_back(c);
  return quoted;
}

OrderedJson time_or_null(int64_t ns) {
  return ns != 0 ? OrderedJson(ns) : OrderedJson();
}

std::unexpected<Error> failure(const PreparedVm& vm, const GuestResult& result) {
  const std::string accelerator(to_string(vm.accelerator.accelerator));
  std::string what;
  int code = EIO;
  if (result.end == GuestEnd::kNoBoot) {
    what = "the guest did not boot with " + accelerator + " in time";
    code = ETIMEDOUT;
  } else if (const size_t panic = result.console.find("Kernel panic"); panic != std::string::npos) {
    // The cause stands in front of a long stack: the end of the console alone may not hold it.
    const std::string_view rest = std::string_view(result.console).substr(panic);
    what = "the guest's kernel panicked: " + quote(rest.substr(0, rest.find('\n')));
  } else {
    what = "QEMU ended with status " + std::to_string(result.qemu_status) +
           (result.times.booted_ns == 0 ? " before the guest had booted"
                                        : " before the command had ended");
  }
  for (const auto& [who, said] :
       {std::pair("QEMU", &result.messages), std::pair("the guest's console", &result.console)})
    if (const auto quoted = quote(*said); !quoted.empty())
      what += std::string("\n--- ") + who + ":\n" + quoted;
  return fail(code, std::move(what));
}

}  // namespace

Result<PreparedVm> prepare(const image::Store& store, const VmRequest& request,
                           const Report& report) {
  STRATA_CHECK(check(request));
  STRATA_CHECK(qemu_identity());  // that it is there
  STRATA_TRY(const image::Image image, store.get(request.image));
  PreparedVm vm{.request = request, .image_id = image.id};
  STRATA_TRY(vm.command, merge_command(image.config, request));
  STRATA_TRY(vm.config, make_guest_config(image.config, request));
  STRATA_TRY(vm.kernel, choose_kernel(store, request, report));
  STRATA_TRY(vm.disk, make_disk(store, image, report));
  STRATA_TRY(vm.accelerator, choose_accelerator(store, request, vm.kernel, report));
  return vm;
}

Result<VmReport> run(const PreparedVm& vm, const GuestStreams& streams) {
  if (vm.command.empty())
    return fail(EINVAL, "the image names no command: give one after '" + vm.request.image + " --'");
  const GuestRequest request{.plan = make_plan(vm),
                             .kernel = vm.kernel,
                             .config = vm.config,
                             .streams = streams,
                             .run_limit = vm.request.timeout};
  STRATA_TRY(const GuestResult result, run_guest(request));
  VmReport report{.times = result.times};
  report.out_of_memory = result.console.find("Out of memory") != std::string::npos;
  switch (result.end) {
    case GuestEnd::kExited:
      report.exit_status = result.status;
      return report;
    case GuestEnd::kNotRun:
      report.exit_status = result.status;
      report.error = quote(result.reason);
      return report;
    case GuestEnd::kTimedOut:
      report.exit_status = kTimedOut;
      report.timed_out = true;
      return report;
    case GuestEnd::kNoBoot:
    case GuestEnd::kDied:
      break;
  }
  return failure(vm, result);
}

Result<std::string> report_to_json(const PreparedVm& vm, const VmReport& report) {
  STRATA_TRY(const std::string version, qemu_version());
  const auto& times = report.times;
  const OrderedJson json{{"image", vm.request.image},
                         {"image_id", vm.image_id},
                         {"command", vm.command},
                         {"machine", to_string(vm.request.machine)},
                         {"accelerator", to_string(vm.accelerator.accelerator)},
                         {"accelerator_reason", vm.accelerator.reason},
                         {"kernel", vm.kernel.version},
                         {"kernel_package", vm.kernel.package},
                         {"kernel_command_line", kernel_command_line(make_plan(vm))},
                         {"qemu_version", version},
                         {"memory_mib", vm.request.memory_mib},
                         {"cpus", vm.request.cpus},
                         {"exit_status", report.exit_status},
                         {"timed_out", report.timed_out},
                         {"out_of_memory", report.out_of_memory},
                         {"error", report.error},
                         {"times",
                          {{"started_ns", time_or_null(times.started_ns)},
                           {"booted_ns", time_or_null(times.booted_ns)},
                           {"executed_ns", time_or_null(times.executed_ns)},
                           {"first_output_ns", time_or_null(times.first_output_ns)},
                           {"command_ended_ns", time_or_null(times.command_ended_ns)},
                           {"exited_ns", time_or_null(times.exited_ns)}}}};
  return json.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace strata::vm
