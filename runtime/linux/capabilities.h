// Capabilities by name and as the kernel takes them, without libcap.
//
// Source: capabilities(7); include/uapi/linux/capability.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::linux {

// One bit a capability, bit n for capability n.
using CapabilityMask = uint64_t;

struct CapabilitySets {
  CapabilityMask bounding = 0, effective = 0, inheritable = 0, permitted = 0, ambient = 0;
};

// "CAP_CHOWN" is bit 0; EINVAL for a name that Linux does not have.
[[nodiscard]] Result<CapabilityMask> capability_of(std::string_view name);
// For messages: "CAP_CHOWN, CAP_KILL".
[[nodiscard]] std::string capability_names(CapabilityMask mask);

[[nodiscard]] Result<CapabilitySets> capability_sets(const oci::Capabilities& names);

// Of the calling thread: effective, inheritable and permitted; the other two are left empty.
[[nodiscard]] Result<CapabilitySets> own_capabilities();

// For the child: 0, or -1 with errno. Async-signal-safe.
// Drops from the bounding set what is not in `keep` (needs CAP_SETPCAP for each drop).
[[nodiscard]] int limit_bounding_set(CapabilityMask keep) noexcept;
[[nodiscard]] int set_capabilities(const CapabilitySets& sets) noexcept;  // but bounding, ambient
[[nodiscard]] int set_ambient(CapabilityMask ambient) noexcept;
// Makes everything that is permitted effective.
[[nodiscard]] int raise_permitted() noexcept;

}  // namespace strata::linux
