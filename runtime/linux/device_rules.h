// The device controller: rules as text for v1, as a BPF program for v2.
// For the .cc files of runtime/linux only.
//
// Source: Documentation/admin-guide/cgroup-v1/devices.rst, security/device_cgroup.c;
// BPF_PROG_TYPE_CGROUP_DEVICE in include/uapi/linux/bpf.h (struct bpf_cgroup_dev_ctx).
#pragma once

#include <linux/bpf.h>

#include <string>
#include <vector>

#include "runtime/linux/cgroup.h"

namespace strata::linux {

// The rules in force for a container: everything denied, then `rules`, then the devices that every
// container has. EINVAL for a rule with a bad type, number or access.
[[nodiscard]] Result<std::vector<oci::DeviceRule>> complete_device_rules(
    const std::vector<oci::DeviceRule>& rules);

// A rule as devices.allow and devices.deny take it: "c 1:3 rwm".
[[nodiscard]] std::string device_rule_text(const oci::DeviceRule& rule);

// The program that decides by `rules`: the last rule that applies wins. Returns 1 to allow.
[[nodiscard]] std::vector<bpf_insn> device_program(const std::vector<oci::DeviceRule>& rules);

// Puts the rules into force.
[[nodiscard]] Result<void> apply_device_rules(const std::vector<Cgroup::Directory>& directories,
                                              const std::vector<oci::DeviceRule>& rules);

}  // namespace strata::linux
