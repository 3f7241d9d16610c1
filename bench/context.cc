#include "bench/context.h"

#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string_view>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "bench/kernel_config.h"
#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

constexpr std::string_view kBlank = " \t\n\"";

std::string trim(std::string_view text) {
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kBlank) - begin + 1));
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

// The files of a machine, this one or one in a directory.
class Machine {
 public:
  explicit Machine(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] bool is_this_one() const { return root_ == "/"; }

  // A file's text without the blanks around it; empty if it can't be read.
  [[nodiscard]] std::string text(const std::string& path) const {
    return trim(read_file(root_ / path).value_or(""));
  }

  // The first "key<separator>value" line's value.
  [[nodiscard]] std::string field(const std::string& path, std::string_view key,
                                  char separator) const {
    std::istringstream lines(text(path));
    for (std::string line; std::getline(lines, line);) {
      const auto at = line.find(separator);
      if (at != std::string::npos && trim(std::string_view(line).substr(0, at)) == key)
        return trim(std::string_view(line).substr(at + 1));
    }
    return {};
  }

 private:
  std::filesystem::path root_;
};

struct Mount {
  std::string point;
  std::string type;
  std::string options;
};

// The octal escapes of /proc/self/mounts: "\040" is a blank (getmntent(3)).
std::string unescape(const std::string& field) {
  std::string text;
  for (size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 3 < field.size()) {
      text += static_cast<char>(std::strtol(field.substr(i + 1, 3).c_str(), nullptr, 8));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

std::vector<Mount> mounts_of(const Machine& machine) {
  std::vector<Mount> mounts;
  std::istringstream lines(machine.text("proc/self/mounts"));
  for (std::string line; std::getline(lines, line);) {
    const auto fields = split(line, ' ');
    if (fields.size() >= 4) mounts.push_back({unescape(fields[1]), fields[2], fields[3]});
  }
  return mounts;
}

KernelContext kernel_of(const Machine& machine) {
  KernelContext kernel;
  kernel.release = machine.text("proc/sys/kernel/osrelease");
  kernel.version = machine.text("proc/sys/kernel/version");
  utsname name{};
  if (::uname(&name) == 0) kernel.architecture = name.machine;
  auto config = read_kernel_config(machine.root(), kernel.release);
  kernel.config_source = std::move(config.source);
  kernel.config = std::move(config.options);
  kernel.security_modules = split(machine.text("sys/kernel/security/lsm"), ',');
  kernel.clock_source =
      machine.text("sys/devices/system/clocksource/clocksource0/current_clocksource");
  return kernel;
}

// Flags that change what a start, a copy or a switch costs, or whether a VM can run.
bool is_of_interest(const std::string& flag) {
  constexpr std::array kFlags{"hypervisor", "vmx",          "svm",         "pcid",    "invpcid",
                              "pti",        "erms",         "fsrm",        "avx2",    "avx512f",
                              "amx_tile",   "constant_tsc", "nonstop_tsc", "tsc",     "smap",
                              "ibrs",       "ibpb",         "sha_ni",      "fsgsbase"};
  return std::find(kFlags.begin(), kFlags.end(), flag) != kFlags.end();
}

CpuContext cpu_of(const Machine& machine) {
  CpuContext cpu;
  cpu.vendor = machine.field("proc/cpuinfo", "vendor_id", ':');
  cpu.model = machine.field("proc/cpuinfo", "model name", ':');
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) cpu.logical_count = CPU_COUNT(&set);
  cpu.flags = split(machine.field("proc/cpuinfo", "flags", ':'), ' ');
  std::erase_if(cpu.flags, [](const std::string& flag) { return !is_of_interest(flag); });
  const std::string vulnerabilities = "sys/devices/system/cpu/vulnerabilities";
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(machine.root() / vulnerabilities, error)) {
    const std::string name = entry.path().filename().string();
    cpu.mitigations[name] = machine.text(std::string(vulnerabilities).append("/").append(name));
  }
  cpu.governor = machine.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return cpu;
}

MemoryContext memory_of(const Machine& machine) {
  const auto bytes = [&](const char* key) -> uint64_t {
    constexpr uint64_t kKibi = 1024;  // "kB" there
    return std::strtoull(machine.field("proc/meminfo", key, ':').c_str(), nullptr, 10) * kKibi;
  };
  return {.total_bytes = bytes("MemTotal"),
          .available_bytes = bytes("MemAvailable"),
          .swap_bytes = bytes("SwapTotal"),
          .page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE))};
}

// The file system of a path is that of the mount with the longest mount point in front of it; of
// several at one point, the last.
StoreContext store_of(const Machine& machine, const std::filesystem::path& store) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(store, error).lexically_normal();
  const auto resolved =
      machine.is_this_one() ? std::filesystem::weakly_canonical(absolute, error) : absolute;
  StoreContext context{.path = store.string()};
  const std::string path = resolved.string() + "/";
  size_t longest = 0;
  for (const auto& mount : mounts_of(machine)) {
    const std::string point = mount.point == "/" ? mount.point : mount.point + "/";
    if (!path.starts_with(point) || point.size() < longest) continue;
    longest = point.size();
    context.file_system = mount.type;
    context.options = mount.options;
  }
  return context;
}

std::string cgroup_mode_of(const Machine& machine) {
  const auto mounts = mounts_of(machine);
  const auto mounted = [&](std::string_view type) {
    return std::any_of(mounts.begin(), mounts.end(),
                       [&](const Mount& mount) { return mount.type == type; });
  };
  const bool v2 = mounted("cgroup2");
  if (mounted("cgroup")) return v2 ? "hybrid" : "v1";
  return v2 ? "v2" : "none";
}

// The hypervisor's signature, as CPUs show it to guests (cpuid leaf 0x40000000).
std::string hypervisor_signature() {
#if defined(__x86_64__)
  constexpr unsigned kLeaf = 0x40000000;
  std::array<unsigned, 4> registers{};
  __cpuid(kLeaf, registers[0], registers[1], registers[2], registers[3]);
  std::array<char, 13> signature{};
  std::memcpy(signature.data(), &registers[1], 12);
  return signature.data();
#else
  return {};
#endif
}

std::string virtualisation_of(const Machine& machine, const CpuContext& cpu) {
  constexpr std::array<std::pair<std::string_view, const char*>, 8> kNames{
      {{"KVMKVMKVM", "kvm"},
       {"TCGTCGTCGTCG", "qemu-tcg"},
       {"VMwareVMware", "vmware"},
       {"Microsoft Hv", "hyper-v"},
       {"XenVMMXenVMM", "xen"},
       {"bhyve bhyve ", "bhyve"},
       {"ACRNACRNACRN", "acrn"},
       {"VBoxVBoxVBox", "virtualbox"}}};
  if (auto type = machine.text("sys/hypervisor/type"); !type.empty()) return type;
  if (std::find(cpu.flags.begin(), cpu.flags.end(), "hypervisor") == cpu.flags.end()) return "none";
  if (machine.is_this_one()) {
    const std::string signature = hypervisor_signature();
    for (const auto& [known, name] : kNames)
      if (signature == known) return name;
  }
  return "vm";
}

}  // namespace

Context collect_context(const std::filesystem::path& store, const std::filesystem::path& root) {
  const Machine machine(root);
  Context context;
  context.strata_version = STRATA_VERSION;
  context.build_type = STRATA_BUILD_TYPE;
  context.operating_system = machine.field("etc/os-release", "PRETTY_NAME", '=');
  context.kernel = kernel_of(machine);
  context.cpu = cpu_of(machine);
  context.memory = memory_of(machine);
  context.store = store_of(machine, store);
  context.cgroup_mode = cgroup_mode_of(machine);
  context.virtualisation = virtualisation_of(machine, context.cpu);
  context.load_average_1m = std::strtod(machine.text("proc/loadavg").c_str(), nullptr);
  return context;
}

}  // namespace strata::bench
