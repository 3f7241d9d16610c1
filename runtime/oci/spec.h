// The OCI runtime-spec (1.2) configuration as values: what a container shall be, whoever asked for
// it (`strata run` from an image, later a bundle's config.json). Field names follow the spec's
// JSON; defaults are the spec's. Plain values, no kernel calls.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::oci {

struct User {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::vector<uint32_t> additional_gids;
  std::optional<uint32_t> umask;
};

// Capability names as the spec writes them ("CAP_CHOWN").
struct Capabilities {
  std::vector<std::string> bounding, effective, inheritable, permitted, ambient;
};

struct Rlimit {
  std::string type;  // "RLIMIT_NOFILE"
  uint64_t soft = 0;
  uint64_t hard = 0;
};

struct Process {
  bool terminal = false;
  User user;
  std::vector<std::string> args;  // REQUIRES for start: not empty
  std::vector<std::string> env;   // "NAME=value"
  std::string cwd = "/";          // absolute
  Capabilities capabilities;
  std::vector<Rlimit> rlimits;
  bool no_new_privileges = false;
  std::optional<int> oom_score_adj;
};

struct Mount {
  std::string destination;  // absolute, in the container
  std::string type;         // "proc", "tmpfs", …; "bind" or an option bind/rbind for bind mounts
  std::string source;
  std::vector<std::string> options;  // mount(8) and the spec's own
};

struct Namespace {
  std::string type;  // pid network mount ipc uts user cgroup time
  std::string path;  // empty: a new one
};

// One rule of the device controller; later rules win over earlier ones.
struct DeviceRule {
  bool allow = false;
  std::string type;              // "c", "b", or "a" (empty): any
  std::optional<int64_t> major;  // absent: any
  std::optional<int64_t> minor;
  std::string access;  // of "rwm"
};

struct Resources {
  std::vector<DeviceRule> devices;      // the runtime adds the devices that every container has
  std::optional<int64_t> memory_limit;  // bytes, -1 unlimited
  std::optional<int64_t> memory_swap;   // bytes, memory and swap together
  std::optional<uint64_t> cpu_shares;
  std::optional<int64_t> cpu_quota;    // microseconds in each period
  std::optional<uint64_t> cpu_period;  // microseconds
  std::string cpus;                    // cpuset, "0-1"
  std::optional<int64_t> pids_limit;
};

struct Root {
  std::string path;
  bool readonly = false;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::string cgroups_path;  // below every controller's mount, e.g. "/strata/<id>"
  Resources resources;
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::map<std::string, std::string> sysctl;
};

struct Spec {
  Root root;
  Process process;
  std::string hostname;
  std::vector<Mount> mounts;
  Linux linux;
  std::map<std::string, std::string> annotations;
};

// What docker, podman and `runc spec` agree on for a Linux container: /proc /dev /dev/pts /dev/shm
// /dev/mqueue /sys /sys/fs/cgroup mounts, masked and read-only paths, all namespaces but user and
// time, docker's default capabilities, no devices but those that every container has. The caller
// adds root, args, env and cgroups_path.
[[nodiscard]] Spec default_spec();

// config.json, complete enough for another runtime to run it. JSON holds Unicode only: bytes that
// are not UTF-8 are written as U+FFFD.
[[nodiscard]] std::string to_json(const Spec& spec);

// Reads what to_json wrote. Unknown members and values of a wrong type or range are refused with
// their JSON path, e.g. "config.json: linux.resources.hugepages: unknown member" (EINVAL).
[[nodiscard]] Result<Spec> from_json(std::string_view text, std::string_view name);

}  // namespace strata::oci
