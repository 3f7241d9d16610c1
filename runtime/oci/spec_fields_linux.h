// The members of `linux`. For the .cc files of runtime/oci only; spec_fields.h says what an `Io`
// is.
#pragma once

#include "runtime/oci/spec_linux.h"

namespace strata::oci {

template <class Io>
void fields(Io& io, Namespace& ns) {
  io.required("type", ns.type);
  io.field("path", ns.path);
}

template <class Io>
void fields(Io& io, IdMapping& mapping) {
  io.required("containerID", mapping.container_id);
  io.required("hostID", mapping.host_id);
  io.required("size", mapping.size);
}

template <class Io>
void fields(Io& io, TimeOffset& offset) {
  io.field("secs", offset.secs);
  io.field("nanosecs", offset.nanosecs);
}

template <class Io>
void fields(Io& io, Device& device) {
  io.required("type", device.type);
  io.required("path", device.path);
  io.field("major", device.major);
  io.field("minor", device.minor);
  io.field("fileMode", device.file_mode);
  io.field("uid", device.uid);
  io.field("gid", device.gid);
}

template <class Io>
void fields(Io& io, Personality& personality) {
  io.required("domain", personality.domain);
  io.field("flags", personality.flags);
}

template <class Io>
void fields(Io& io, DeviceRule& rule) {
  io.field("allow", rule.allow);
  io.field("type", rule.type);
  io.field("major", rule.major);
  io.field("minor", rule.minor);
  io.field("access", rule.access);
}

template <class Io>
void fields(Io& io, WeightDevice& device) {
  io.required("major", device.major);
  io.required("minor", device.minor);
  io.field("weight", device.weight);
  io.field("leafWeight", device.leaf_weight);
}

template <class Io>
void fields(Io& io, ThrottleDevice& device) {
  io.required("major", device.major);
  io.required("minor", device.minor);
  io.required("rate", device.rate);
}

template <class Io>
void fields(Io& io, BlockIo& block_io) {
  io.field("weight", block_io.weight);
  io.field("leafWeight", block_io.leaf_weight);
  io.list("weightDevice", block_io.weight_devices);
  io.list("throttleReadBpsDevice", block_io.read_bps);
  io.list("throttleWriteBpsDevice", block_io.write_bps);
  io.list("throttleReadIOPSDevice", block_io.read_iops);
  io.list("throttleWriteIOPSDevice", block_io.write_iops);
}

template <class Io>
void fields(Io& io, HugepageLimit& limit) {
  io.required("pageSize", limit.page_size);
  io.required("limit", limit.limit);
}

template <class Io>
void fields(Io& io, InterfacePriority& priority) {
  io.required("name", priority.name);
  io.required("priority", priority.priority);
}

template <class Io>
void fields(Io& io, RdmaLimit& limit) {
  io.field("hcaHandles", limit.hca_handles);
  io.field("hcaObjects", limit.hca_objects);
}

template <class Io>
void fields(Io& io, Resources& resources) {
  io.list("devices", resources.devices);
  io.object("memory", [&](Io& memory) {
    memory.field("limit", resources.memory_limit);
    memory.field("reservation", resources.memory_reservation);
    memory.field("swap", resources.memory_swap);
    memory.field("kernel", resources.memory_kernel);
    memory.field("kernelTCP", resources.memory_kernel_tcp);
    memory.field("swappiness", resources.memory_swappiness);
    memory.flag("disableOOMKiller", resources.memory_disable_oom_killer);
    memory.field("useHierarchy", resources.memory_use_hierarchy);
    memory.flag("checkBeforeUpdate", resources.memory_check_before_update);
  });
  io.object("cpu", [&](Io& cpu) {
    cpu.field("shares", resources.cpu_shares);
    cpu.field("quota", resources.cpu_quota);
    cpu.field("burst", resources.cpu_burst);
    cpu.field("period", resources.cpu_period);
    cpu.field("realtimeRuntime", resources.cpu_realtime_runtime);
    cpu.field("realtimePeriod", resources.cpu_realtime_period);
    cpu.field("idle", resources.cpu_idle);
    cpu.field("cpus", resources.cpus);
    cpu.field("mems", resources.mems);
  });
  io.object("pids", [&](Io& pids) { pids.field("limit", resources.pids_limit); });
  io.object("blockIO", [&](Io& block_io) { fields(block_io, resources.block_io); });
  io.list("hugepageLimits", resources.hugepage_limits);
  io.object("network", [&](Io& network) {
    network.field("classID", resources.network.class_id);
    network.list("priorities", resources.network.priorities);
  });
  io.map("rdma", resources.rdma);
  io.field("unified", resources.unified);
}

template <class Io>
void fields(Io& io, SeccompArg& arg) {
  io.required("index", arg.index);
  io.required("value", arg.value);
  io.field("valueTwo", arg.value_two);
  io.required("op", arg.op);
}

template <class Io>
void fields(Io& io, SeccompRule& rule) {
  io.required("names", rule.names);
  io.required("action", rule.action);
  io.field("errnoRet", rule.errno_ret);
  io.list("args", rule.args);
}

template <class Io>
void fields(Io& io, Seccomp& seccomp) {
  io.required("defaultAction", seccomp.default_action);
  io.field("defaultErrnoRet", seccomp.default_errno_ret);
  io.field("architectures", seccomp.architectures);
  io.field("flags", seccomp.flags);
  io.field("listenerPath", seccomp.listener_path);
  io.field("listenerMetadata", seccomp.listener_metadata);
  io.list("syscalls", seccomp.syscalls);
}

template <class Io>
void fields(Io& io, Linux& linux) {
  io.list("namespaces", linux.namespaces);
  io.list("uidMappings", linux.uid_mappings);
  io.list("gidMappings", linux.gid_mappings);
  io.map("timeOffsets", linux.time_offsets);
  io.list("devices", linux.devices);
  io.refused("netDevices", "moving network devices is not supported");
  io.field("cgroupsPath", linux.cgroups_path);
  io.object("resources", [&](Io& resources) { fields(resources, linux.resources); });
  io.refused("intelRdt", "Intel RDT is not supported");
  io.refused("memoryPolicy", "memory policies are not supported");
  io.field("sysctl", linux.sysctl);
  io.optional("seccomp", linux.seccomp);
  io.field("rootfsPropagation", linux.rootfs_propagation);
  io.field("maskedPaths", linux.masked_paths);
  io.field("readonlyPaths", linux.readonly_paths);
  io.field("mountLabel", linux.mount_label);
  io.optional("personality", linux.personality);
}

}  // namespace strata::oci
