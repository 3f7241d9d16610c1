#include "bench/kernel_config.h"

#include <zlib.h>

#include <array>
#include <memory>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "unionfs/base/file.h"

namespace strata::bench {
namespace {

// What containers, unions, probes and VMs rest upon, and what sets the price of a system call, a
// fork, a page fault.
constexpr std::array kOptions{
    // isolation
    "CONFIG_NAMESPACES", "CONFIG_USER_NS", "CONFIG_PID_NS", "CONFIG_NET_NS", "CONFIG_TIME_NS",
    "CONFIG_SECCOMP_FILTER", "CONFIG_CGROUPS", "CONFIG_MEMCG", "CONFIG_MEMCG_V1",
    "CONFIG_CGROUP_PIDS", "CONFIG_CGROUP_BPF", "CONFIG_CFS_BANDWIDTH",
    // file systems
    "CONFIG_OVERLAY_FS", "CONFIG_EROFS_FS", "CONFIG_EROFS_FS_BACKED_BY_FILE", "CONFIG_FUSE_FS",
    "CONFIG_TMPFS", "CONFIG_FS_VERITY", "CONFIG_IO_URING",
    // probes
    "CONFIG_BPF_SYSCALL", "CONFIG_BPF_JIT", "CONFIG_BPF_LSM", "CONFIG_DEBUG_INFO_BTF",
    "CONFIG_FTRACE", "CONFIG_KPROBES", "CONFIG_UPROBES",
    // virtual machines
    "CONFIG_KVM", "CONFIG_KVM_INTEL", "CONFIG_KVM_AMD", "CONFIG_KVM_GUEST", "CONFIG_VHOST_NET",
    "CONFIG_VHOST_VSOCK",
    // the price of things
    "CONFIG_HZ", "CONFIG_NO_HZ_FULL", "CONFIG_PREEMPT_NONE", "CONFIG_PREEMPT_VOLUNTARY",
    "CONFIG_PREEMPT", "CONFIG_PREEMPT_LAZY", "CONFIG_PREEMPT_RT", "CONFIG_PREEMPT_DYNAMIC",
    "CONFIG_MODULES", "CONFIG_AUDITSYSCALL", "CONFIG_TRANSPARENT_HUGEPAGE",
    "CONFIG_MITIGATION_PAGE_TABLE_ISOLATION", "CONFIG_MITIGATION_RETPOLINE", "CONFIG_CFI_CLANG",
    "CONFIG_INIT_ON_ALLOC_DEFAULT_ON", "CONFIG_KASAN", "CONFIG_LOCKDEP", "CONFIG_DEBUG_PAGEALLOC"};

std::optional<std::string> read_gzip(const std::filesystem::path& path) {
  const std::unique_ptr<gzFile_s, decltype(&gzclose)> file(gzopen(path.c_str(), "rbe"), gzclose);
  if (!file) return std::nullopt;
  std::string text;
  std::array<char, 16384> buffer{};
  constexpr size_t kLimit = size_t{16} << 20;
  while (text.size() < kLimit) {
    const int count = gzread(file.get(), buffer.data(), buffer.size());
    if (count < 0) return std::nullopt;
    if (count == 0) break;
    text.append(buffer.data(), static_cast<size_t>(count));
  }
  return text;
}

// "CONFIG_A=y" lines; what is absent or "is not set" is "n".
std::map<std::string, std::string> select_options(const std::string& text) {
  std::map<std::string, std::string> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (line.starts_with("CONFIG_") && equals != std::string::npos)
      all[line.substr(0, equals)] = line.substr(equals + 1);
  }
  std::map<std::string, std::string> selected;
  for (const char* option : kOptions) {
    const auto found = all.find(option);
    selected[option] = found == all.end() ? "n" : found->second;
  }
  return selected;
}

std::map<std::string, std::string> probe_options(const std::filesystem::path& root) {
  constexpr std::array<std::pair<const char*, const char*>, 10> kTraces{
      {{"CONFIG_USER_NS", "proc/self/ns/user"},
       {"CONFIG_PID_NS", "proc/self/ns/pid"},
       {"CONFIG_NET_NS", "proc/self/ns/net"},
       {"CONFIG_TIME_NS", "proc/self/ns/time"},
       {"CONFIG_SECCOMP_FILTER", "proc/sys/kernel/seccomp/actions_avail"},
       {"CONFIG_CGROUPS", "proc/cgroups"},
       {"CONFIG_BPF_SYSCALL", "proc/sys/kernel/unprivileged_bpf_disabled"},
       {"CONFIG_DEBUG_INFO_BTF", "sys/kernel/btf/vmlinux"},
       {"CONFIG_MODULES", "proc/modules"},
       {"CONFIG_TRANSPARENT_HUGEPAGE", "sys/kernel/mm/transparent_hugepage/enabled"}}};
  constexpr std::array<std::pair<const char*, std::string_view>, 4> kFileSystems{
      {{"CONFIG_OVERLAY_FS", "overlay"},
       {"CONFIG_EROFS_FS", "erofs"},
       {"CONFIG_FUSE_FS", "fuse"},
       {"CONFIG_TMPFS", "tmpfs"}}};
  std::map<std::string, std::string> options;
  for (const auto& [option, path] : kTraces) {
    std::error_code error;
    if (std::filesystem::exists(root / path, error)) options[option] = "y";
  }
  // "nodev\toverlay" or "\terofs", a type a line; modules not loaded yet are missing.
  std::istringstream lines(read_file(root / "proc/filesystems").value_or(""));
  for (std::string line; std::getline(lines, line);)
    for (const auto& [option, type] : kFileSystems)
      if (line.substr(line.find('\t') + 1) == type) options[option] = "y";
  return options;
}

}  // namespace

KernelConfig read_kernel_config(const std::filesystem::path& root, const std::string& release) {
  if (const auto text = read_gzip(root / "proc/config.gz"))
    return {.source = "/proc/config.gz", .options = select_options(*text)};
  const std::string boot = "boot/config-" + release;
  if (const auto text = read_file(root / boot); text && !release.empty())
    return {.source = "/" + boot, .options = select_options(*text)};
  return {.source = "probed", .options = probe_options(root)};
}

}  // namespace strata::bench
