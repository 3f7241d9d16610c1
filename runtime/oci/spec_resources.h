// What a container may use: `linux.resources` of config.json (runtime-spec config-linux.md,
// "Control groups"). As in the other runtimes, 0 for a limit of memory, CPU or processes means "not
// set": engines write it so.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace strata::oci {

// One rule of the device controller; later rules win over earlier ones.
struct DeviceRule {
  bool allow = false;
  std::string type;              // "c", "b", or "a" (empty): any
  std::optional<int64_t> major;  // absent: any
  std::optional<int64_t> minor;
  std::string access;  // of "rwm"
};

struct WeightDevice {
  int64_t major = 0;
  int64_t minor = 0;
  std::optional<uint16_t> weight, leaf_weight;
};

struct ThrottleDevice {
  int64_t major = 0;
  int64_t minor = 0;
  uint64_t rate = 0;  // bytes or operations a second
};

struct BlockIo {
  std::optional<uint16_t> weight, leaf_weight;  // 10 to 1000
  std::vector<WeightDevice> weight_devices;
  std::vector<ThrottleDevice> read_bps, write_bps, read_iops, write_iops;
};

struct HugepageLimit {
  std::string page_size;  // "2MB"
  uint64_t limit = 0;     // bytes
};

struct InterfacePriority {
  std::string name;
  uint32_t priority = 0;
};

struct Network {
  std::optional<uint32_t> class_id;
  std::vector<InterfacePriority> priorities;
};

struct RdmaLimit {
  std::optional<uint32_t> hca_handles, hca_objects;
};

struct Resources {
  std::vector<DeviceRule> devices;      // the runtime adds the devices that every container has
  std::optional<int64_t> memory_limit;  // bytes, -1 unlimited
  std::optional<int64_t> memory_swap;   // bytes, memory and swap together
  std::optional<int64_t> memory_reservation;
  std::optional<int64_t> memory_kernel, memory_kernel_tcp;
  std::optional<uint64_t> memory_swappiness;
  bool memory_disable_oom_killer = false;
  std::optional<bool> memory_use_hierarchy;
  bool memory_check_before_update = false;
  std::optional<uint64_t> cpu_shares;
  std::optional<int64_t> cpu_quota;    // microseconds in each period
  std::optional<uint64_t> cpu_burst;   // microseconds
  std::optional<uint64_t> cpu_period;  // microseconds
  std::optional<int64_t> cpu_realtime_runtime;
  std::optional<uint64_t> cpu_realtime_period;
  std::optional<int64_t> cpu_idle;
  std::string cpus;  // cpuset, "0-1"
  std::string mems;
  std::optional<int64_t> pids_limit;
  BlockIo block_io;
  std::vector<HugepageLimit> hugepage_limits;
  Network network;
  std::map<std::string, RdmaLimit> rdma;       // by device
  std::map<std::string, std::string> unified;  // cgroup v2: file name to content
};

}  // namespace strata::oci
