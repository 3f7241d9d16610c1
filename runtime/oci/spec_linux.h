// What only Linux has: `linux` of config.json (runtime-spec config-linux.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/oci/spec_resources.h"
#include "runtime/oci/spec_seccomp.h"

namespace strata::oci {

struct Namespace {
  std::string type;  // pid network mount ipc uts user cgroup time
  std::string path;  // empty: a new one
};

// user_namespaces(7): IDs from container_id on are those from host_id on outside.
struct IdMapping {
  uint32_t container_id = 0;
  uint32_t host_id = 0;
  uint32_t size = 0;
};

struct TimeOffset {
  int64_t secs = 0;
  uint32_t nanosecs = 0;
};

// A node to be made in the container; to use it takes a rule of the device controller, too.
struct Device {
  std::string type;  // "c", "b", "u" or "p"
  std::string path;  // absolute, in the container
  int64_t major = 0;
  int64_t minor = 0;
  std::optional<uint32_t> file_mode;
  std::optional<uint32_t> uid, gid;
};

struct Personality {
  std::string domain;  // "LINUX" or "LINUX32"
  std::vector<std::string> flags;
};

struct Linux {
  std::vector<Namespace> namespaces;
  std::vector<IdMapping> uid_mappings, gid_mappings;
  std::map<std::string, TimeOffset> time_offsets;  // by clock: "monotonic", "boottime"
  std::vector<Device> devices;
  std::string cgroups_path;  // below every controller's mount, e.g. "/strata/<id>"
  Resources resources;
  std::map<std::string, std::string> sysctl;
  std::optional<Seccomp> seccomp;
  std::string rootfs_propagation;  // "private", "slave", "shared", "unbindable"; empty: private
  std::vector<std::string> masked_paths;
  std::vector<std::string> readonly_paths;
  std::string mount_label;
  std::optional<Personality> personality;
};

}  // namespace strata::oci
