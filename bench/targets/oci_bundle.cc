#include "bench/targets/oci_bundle.h"

#include "unionfs/base/json.h"

namespace strata::bench {
namespace {

// Docker's default set (moby: oci/caps/defaults.go).
Json capabilities() {
  return {"CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
          "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
          "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
          "CAP_KILL",    "CAP_AUDIT_WRITE"};
}

Json mount(const char* destination, const char* type, const char* source, Json options) {
  return {{"destination", destination},
          {"type", type},
          {"source", source},
          {"options", std::move(options)}};
}

Json mounts() {
  return {
      mount("/proc", "proc", "proc", Json::array()),
      mount("/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}),
      mount("/dev/pts", "devpts", "devpts",
            {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}),
      mount("/dev/shm", "tmpfs", "shm", {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}),
      mount("/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}),
      mount("/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}),
      mount("/sys/fs/cgroup", "cgroup", "cgroup", {"nosuid", "noexec", "nodev", "relatime", "ro"})};
}

Json namespaces() {
  Json all = Json::array();
  for (const char* type : {"pid", "network", "ipc", "uts", "mount", "cgroup"})
    all.push_back({{"type", type}});
  return all;
}

}  // namespace

std::string bundle_config(const BundleOptions& options) {
  const Json process{{"terminal", false},
                     {"user", {{"uid", 0}, {"gid", 0}}},
                     {"args", options.args},
                     {"env", options.env},
                     {"cwd", options.cwd},
                     {"capabilities",
                      {{"bounding", capabilities()},
                       {"effective", capabilities()},
                       {"permitted", capabilities()}}},
                     {"rlimits", {{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}}},
                     {"noNewPrivileges", false}};
  const Json linux_part{
      {"cgroupsPath", options.cgroups_path},
      {"resources", {{"devices", {{{"allow", false}, {"access", "rwm"}}}}}},
      {"namespaces", namespaces()},
      {"maskedPaths",
       {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware",
        "/proc/scsi"}},
      {"readonlyPaths",
       {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}};
  const Json config{{"ociVersion", "1.0.2"},
                    {"process", process},
                    {"root", {{"path", options.rootfs.string()}, {"readonly", false}}},
                    {"hostname", "bench"},
                    {"mounts", mounts()},
                    {"linux", linux_part}};
  return config.dump(2) + "\n";
}

}  // namespace strata::bench
