// What state.json holds: what is known of a container that outlives the programs which work on it.
// Its status is not among it: that is what is seen when somebody asks (container.h).
//
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "runtime/container/process_identity.h"
#include "unionfs/base/result.h"

namespace strata::bundle {

struct Record {
  std::string id;
  std::string bundle;   // absolute
  std::string rootfs;   // absolute
  std::string created;  // RFC 3339
  uint32_t owner = 0;   // user ID of the creator
  std::map<std::string, std::string> annotations;
  // Below every hierarchy's mount. Recorded before it is made, and only if nobody had it then: all
  // that is found in it is the container's.
  std::string cgroup;
  bool has_hooks = false;           // whether config.json is worth reading for them
  container::ProcessIdentity init;  // pid 0: not yet
};

[[nodiscard]] std::string to_json(const Record& record);
// EINVAL, by the member's name, for what to_json() never writes.
[[nodiscard]] Result<Record> record_from_json(std::string_view text, std::string_view name);

}  // namespace strata::bundle
