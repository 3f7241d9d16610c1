#include "probes/support.h"

#include <fcntl.h>
#include <linux/capability.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "probes/attach_trial.h"
#include "unionfs/base/error.h"
#include "unionfs/base/file.h"

namespace strata::probes {
namespace {

// The text after `key` up to the end of its line; empty if there is none.
std::string field(const std::string& text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string::npos) return {};
  const auto begin = text.find_first_not_of(" \t", at + key.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

// Effective capabilities of this process as a bit set.
uint64_t capabilities() {
  uint64_t set = 0;
  const auto status = read_file("/proc/self/status");
  if (!status) return set;
  const std::string hex = field(*status, "CapEff:");
  std::from_chars(hex.data(), hex.data() + hex.size(), set, 16);
  return set;
}

bool may_use_bpf() {
  const uint64_t set = capabilities();
  const auto has = [set](int capability) { return (set >> capability & 1) != 0; };
  return has(CAP_SYS_ADMIN) || (has(CAP_BPF) && has(CAP_PERFMON));
}

// The first user namespace maps all IDs to themselves; any other one is not it.
bool in_user_namespace() {
  const auto map = read_file("/proc/self/uid_map");
  if (!map) return false;
  uint32_t inside = 1;
  uint32_t outside = 1;
  uint32_t count = 0;
  return std::sscanf(map->c_str(), "%u %u %u", &inside, &outside, &count) != 3 || inside != 0 ||
         outside != 0 || count != UINT32_MAX;
}

bool locked_down() {
  const auto mode = read_file("/sys/kernel/security/lockdown");
  return mode && mode->find("[confidentiality]") != std::string::npos;
}

std::string explain_permission() {
  if (!may_use_bpf()) return "needs CAP_BPF and CAP_PERFMON: run as root";
  if (in_user_namespace())
    return "the capabilities that count are those of the first user namespace";
  if (locked_down()) return "the kernel is locked down (lockdown=confidentiality)";
  return "despite CAP_BPF and CAP_PERFMON: a policy of this kernel, its host or a security module";
}

Result<void> try_kernel_btf() {
  STRATA_TRY(const UniqueFd fd, open_file("/sys/kernel/btf/vmlinux", O_RDONLY));
  return {};
}

std::string reason_of(const Error& error) {
  // A trial that knows better says so itself; bare refusals of the kernel get their explanation.
  if (error.code == EPERM || error.code == EACCES || error.code == ENOSYS || error.code == EINVAL)
    return error.what + " (" + explain_refusal(error.code) + ")";
  return error.what;
}

struct Trial {
  std::string_view name;
  std::string_view purpose;
  bool needed;
  Result<void> (*run)();
};

constexpr std::array kTrials{
    Trial{"kernel types (BTF)", "fields of kernel structs, wherever they lie", true,
          try_kernel_btf},
    Trial{"ring buffer", "events in order", true, try_ring_buffer},
    Trial{"raw tracepoint", "forks, execs, exits, system calls", true, try_raw_tracepoint},
    Trial{"test run", "a command that joins a probe's tree by itself", true, try_test_run},
    Trial{"BTF tracepoint", "the same, with typed arguments", false, try_btf_tracepoint},
    Trial{"tracepoint", "stable events by name", false, try_tracepoint},
    Trial{"iterator", "all tasks, maps, sockets at one moment", false, try_iterator},
    Trial{"uprobe", "functions of our own programs", false, try_uprobe},
    Trial{"kprobe", "any kernel function", false, try_kprobe},
    Trial{"fentry", "kernel functions, cheaply, on entry", false, try_fentry},
    Trial{"fexit", "kernel functions, cheaply, with results", false, try_fexit},
    Trial{"LSM", "security decisions", false, try_lsm},
};

}  // namespace

std::string explain_refusal(int code) {
  switch (code) {
    case EPERM:
    case EACCES:
      return explain_permission();
    case ENOSYS:
      return "this kernel has no bpf system call (CONFIG_BPF_SYSCALL), or a filter hides it";
    case ENOMEM:
      return "the kernel has no memory for the programs' tables";
    default:
      break;
  }
  if (!try_kernel_btf())
    return "this kernel does not describe its types (CONFIG_DEBUG_INFO_BTF): no "
           "/sys/kernel/btf/vmlinux";
  return "this kernel does not know what is asked of it; Linux 5.12 or later is needed";
}

std::vector<Feature> check_support() {
  std::vector<Feature> features;
  for (const Trial& trial : kTrials) {
    const auto result = trial.run();
    features.push_back({.name = trial.name,
                        .purpose = trial.purpose,
                        .needed = trial.needed,
                        .available = result.has_value(),
                        .reason = result ? "" : reason_of(result.error())});
  }
  return features;
}

}  // namespace strata::probes
