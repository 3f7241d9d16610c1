// ID mappings and the user namespaces that hold them.
//
// Source: user_namespaces(7), "User and group ID mappings"; mount_setattr(2), MOUNT_ATTR_IDMAP.
// Thread rule: make_user_namespace() and read_id_maps() fork: call from a single-threaded process.
// For the .cc files of runtime/linux only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

struct IdMaps {
  std::vector<oci::IdMapping> uids, gids;
};

// What an ID inside is outside; nullopt where it is not mapped.
[[nodiscard]] std::optional<uint32_t> host_id(const std::vector<oci::IdMapping>& mappings,
                                              uint32_t id);

// EINVAL for what the kernel would only call invalid: nothing, an empty range, one that goes beyond
// the last ID, two that overlap. `member` names the mappings.
[[nodiscard]] Result<void> check_mappings(const std::vector<oci::IdMapping>& mappings,
                                          const std::string& member);

// Maps the IDs of a process in a user namespace of its own. EPERM where we may not map them.
[[nodiscard]] Result<void> write_id_maps(pid_t pid, const IdMaps& maps);

// A user namespace without processes, to hold the mappings of a mount.
[[nodiscard]] Result<UniqueFd> make_user_namespace(const IdMaps& maps);

// The mappings of a namespace by its descriptor, as they are from here.
[[nodiscard]] Result<IdMaps> read_id_maps(int user_namespace);

}  // namespace strata::linux
