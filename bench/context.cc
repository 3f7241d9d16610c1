#include "bench/context.h"

#include <sched.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

class Machine {
 public:
  explicit Machine(std::filesystem::path root) : root_(std::move(root)) {}

  [[nodiscard]] std::string text(const std::string& path) const {
    auto content = read_file(root_ / path).value_or("");
    content.erase(content.find_last_not_of(" \n\t") + 1);
    return content;
  }

  // The value of "key<separator>value" lines.
  [[nodiscard]] std::string field(const std::string& path, const std::string& key,
                                  char separator) const {
    std::istringstream lines(text(path));
    for (std::string line; std::getline(lines, line);) {
      const auto at = line.find(separator);
      if (at == std::string::npos) continue;
      std::string name = line.substr(0, at);
      name.erase(name.find_last_not_of(" \t") + 1);
      if (name != key) continue;
      const auto begin = line.find_first_not_of(" \t\"", at + 1);
      if (begin == std::string::npos) return "";
      std::string value = line.substr(begin);
      value.erase(value.find_last_not_of("\" ") + 1);
      return value;
    }
    return "";
  }

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

KernelContext kernel_of(const Machine& machine) {
  KernelContext kernel;
  utsname name{};
  if (::uname(&name) == 0) {
    kernel.release = name.release;
    kernel.version = name.version;
    kernel.architecture = name.machine;
  }
  // What a person would look up first; the options behind them can be seen without their file.
  kernel.config_source = "probed";
  const auto there = [&](const char* option, const char* path) {
    std::error_code error;
    if (std::filesystem::exists(machine.root() / path, error)) kernel.config[option] = "y";
  };
  there("CONFIG_BPF_SYSCALL", "proc/sys/kernel/unprivileged_bpf_disabled");
  there("CONFIG_DEBUG_INFO_BTF", "sys/kernel/btf/vmlinux");
  there("CONFIG_CGROUPS", "proc/cgroups");
  there("CONFIG_USER_NS", "proc/self/ns/user");
  there("CONFIG_TIME_NS", "proc/self/ns/time");
  there("CONFIG_SECCOMP_FILTER", "proc/sys/kernel/seccomp/actions_avail");
  const std::string file_systems = machine.text("proc/filesystems");
  for (const auto& [option, type] : {std::pair{"CONFIG_OVERLAY_FS", "overlay"},
                                     {"CONFIG_EROFS_FS", "erofs"},
                                     {"CONFIG_FUSE_FS", "fuse"}})
    if (file_systems.find(std::string("\t") + type) != std::string::npos)
      kernel.config[option] = "y";
  kernel.security_modules = split(machine.text("sys/kernel/security/lsm"), ',');
  kernel.clock_source =
      machine.text("sys/devices/system/clocksource/clocksource0/current_clocksource");
  return kernel;
}

CpuContext cpu_of(const Machine& machine) {
  CpuContext cpu;
  cpu.vendor = machine.field("proc/cpuinfo", "vendor_id", ':');
  cpu.model = machine.field("proc/cpuinfo", "model name", ':');
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) cpu.logical_count = CPU_COUNT(&set);
  for (const auto& flag : split(machine.field("proc/cpuinfo", "flags", ':'), ' '))
    for (const char* wanted : {"hypervisor", "vmx", "svm", "pcid", "invpcid", "erms", "fsrm",
                               "avx512f", "amx_tile", "constant_tsc", "nonstop_tsc"})
      if (flag == wanted) cpu.flags.push_back(flag);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(
           machine.root() / "sys/devices/system/cpu/vulnerabilities", error)) {
    const auto name = entry.path().filename().string();
    cpu.mitigations[name] = machine.text("sys/devices/system/cpu/vulnerabilities/" + name);
  }
  cpu.governor = machine.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  return cpu;
}

MemoryContext memory_of(const Machine& machine) {
  const auto kibibytes = [&](const char* key) {
    return std::strtoull(machine.field("proc/meminfo", key, ':').c_str(), nullptr, 10) * 1024;
  };
  return {.total_bytes = kibibytes("MemTotal"),
          .available_bytes = kibibytes("MemAvailable"),
          .swap_bytes = kibibytes("SwapTotal"),
          .page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE))};
}

// The mount of which `path` is part: the one with the longest mount point in front of it.
StoreContext store_of(const Machine& machine, const std::filesystem::path& store) {
  StoreContext context{.path = store.string()};
  size_t longest = 0;
  std::istringstream lines(machine.text("proc/self/mounts"));
  for (std::string line; std::getline(lines, line);) {
    const auto fields = split(line, ' ');
    if (fields.size() < 4) continue;
    const std::string& point = fields[1];
    const bool holds =
        point == "/" || context.path == point || context.path.starts_with(point + "/");
    if (!holds || point.size() < longest) continue;
    longest = point.size();
    context.file_system = fields[2];
    context.options = fields[3];
  }
  return context;
}

std::string cgroup_mode(const Machine& machine) {
  bool v1 = false;
  bool v2 = false;
  std::istringstream lines(machine.text("proc/self/mounts"));
  for (std::string line; std::getline(lines, line);) {
    const auto fields = split(line, ' ');
    if (fields.size() < 4) continue;
    v1 = v1 || fields[2] == "cgroup";
    v2 = v2 || fields[2] == "cgroup2";
  }
  if (v1) return v2 ? "hybrid" : "v1";
  return v2 ? "v2" : "none";
}

std::string virtualisation(const Machine& machine, const CpuContext& cpu) {
  const auto type = machine.text("sys/hypervisor/type");
  if (!type.empty()) return type;
  if (std::find(cpu.flags.begin(), cpu.flags.end(), "hypervisor") == cpu.flags.end()) return "none";
  const auto vendor = machine.text("sys/class/dmi/id/sys_vendor");
  return vendor.empty() ? "vm" : vendor;
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
  context.store = store_of(machine, std::filesystem::absolute(store).lexically_normal());
  context.cgroup_mode = cgroup_mode(machine);
  context.virtualisation = virtualisation(machine, context.cpu);
  context.load_average_1m = std::strtod(machine.text("proc/loadavg").c_str(), nullptr);
  return context;
}

}  // namespace strata::bench
