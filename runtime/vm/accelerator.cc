#include "runtime/vm/accelerator.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "runtime/vm/guest.h"
#include "unionfs/base/file.h"
#include "unionfs/base/json.h"

namespace strata::vm {
namespace {

constexpr const char* kKvmDevice = "/dev/kvm";
constexpr std::chrono::seconds kAttempt{5};
constexpr std::string_view kPrefix = "qemu-system-x86_64: ";

std::filesystem::path verdict_path(const image::Store& store) {
  return store.vm_dir() / "accelerator.json";
}

std::string first_line(std::string text) {
  text.resize(std::min(text.find('\n'), text.size()));
  return text;
}

std::string seconds(int64_t ns) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f s", static_cast<double>(ns) / 1e9);
  return text.data();
}

// A guest without a disk, that boots and ends.
Result<Verdict> try_kvm(const Kernel& kernel) {
  GuestRequest request;
  request.plan.hardware = {.machine = Machine::kMicrovm, .accelerator = Accelerator::kKvm};
  request.plan.kernel = kernel.image;
  request.kernel = kernel;
  request.boot_limit = kAttempt;
  STRATA_TRY(const GuestResult result, run_guest(request));
  const auto& times = result.times;
  switch (result.end) {
    case GuestEnd::kExited:
      return Verdict{Accelerator::kKvm,
                     "kvm: a guest booted in " + seconds(times.booted_ns - times.started_ns)};
    case GuestEnd::kNoBoot:
      return Verdict{Accelerator::kTcg, "kvm: tried, guest did not boot within " +
                                            std::to_string(kAttempt.count()) + " s"};
    case GuestEnd::kNotRun:
      return Verdict{Accelerator::kTcg, "kvm: tried, " + result.reason};
    case GuestEnd::kTimedOut:
    case GuestEnd::kDied:
      break;
  }
  // What QEMU says first is the cause; the rest follows from it.
  std::string said = first_line(result.messages);
  if (said.starts_with(kPrefix)) said.erase(0, kPrefix.size());
  return Verdict{Accelerator::kTcg,
                 "kvm: tried, guest ended early" + (said.empty() ? "" : ": " + said)};
}

}  // namespace

Result<VerdictKey> verdict_key(const Kernel& kernel) {
  VerdictKey key;
  utsname name{};
  if (::uname(&name) < 0) return fail_errno("uname");
  key.host_kernel = std::string(name.release) + " " + name.version;
  STRATA_TRY(std::string boot_id, read_file("/proc/sys/kernel/random/boot_id"));
  key.boot_id = first_line(std::move(boot_id));
  STRATA_TRY(key.qemu, qemu_identity());
  key.guest_kernel = kernel.version;
  return key;
}

Result<void> remember_verdict(const image::Store& store, const VerdictKey& key,
                              const Verdict& verdict) {
  const OrderedJson json{{"host_kernel", key.host_kernel},
                         {"boot_id", key.boot_id},
                         {"qemu", key.qemu},
                         {"guest_kernel", key.guest_kernel},
                         {"accelerator", to_string(verdict.accelerator)},
                         {"reason", verdict.reason}};
  const auto text = json.dump(2, ' ', false, OrderedJson::error_handler_t::replace);
  return write_file_atomic(verdict_path(store), text + "\n", Durability::kAtomic);
}

Result<std::optional<Verdict>> recall_verdict(const image::Store& store, const VerdictKey& key) {
  const auto path = verdict_path(store);
  STRATA_TRY(const auto text, read_file_if_exists(path));
  if (!text) return std::optional<Verdict>();
  const auto json = parse_json(*text, path.string());
  if (!json) return std::optional<Verdict>();  // of another version of ours, or damaged: try anew
  const auto member = [&](const char* name) {
    return json_get(*json, name, std::string(), path.string()).value_or("");
  };
  const VerdictKey of_file{member("host_kernel"), member("boot_id"), member("qemu"),
                           member("guest_kernel")};
  const std::string accelerator = member("accelerator");
  if (of_file != key || (accelerator != "kvm" && accelerator != "tcg"))
    return std::optional<Verdict>();
  return std::optional(Verdict{accelerator == "kvm" ? Accelerator::kKvm : Accelerator::kTcg,
                               member("reason"), true});
}

Result<Verdict> decide_accelerator(const image::Store& store, const Kernel& kernel,
                                   const Report& report, bool again) {
  // Looked at each time: a device that comes or goes, or may be opened by one user only, is no
  // matter of a verdict.
  if (const auto device = open_file(kKvmDevice, O_RDWR); !device)
    return Verdict{Accelerator::kTcg, "kvm: " + device.error().what};
  STRATA_TRY(const VerdictKey key, verdict_key(kernel));
  // One attempt, however many start at once.
  STRATA_TRY(const UniqueFd dir, open_file(store.vm_dir(), O_RDONLY | O_DIRECTORY));
  if (!again) {
    STRATA_TRY(const auto known, recall_verdict(store, key));
    if (known) return *known;
  }
  while (::flock(dir.get(), LOCK_EX) < 0)
    if (errno != EINTR) return fail_errno("lock " + store.vm_dir().string());
  if (!again) {
    STRATA_TRY(const auto known, recall_verdict(store, key));
    if (known) return *known;
  }
  report("trying KVM");
  STRATA_TRY(Verdict verdict, try_kvm(kernel));
  STRATA_CHECK(remember_verdict(store, key, verdict));
  return verdict;
}

}  // namespace strata::vm
