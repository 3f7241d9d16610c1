// Which namespaces a container gets, and how it gets into them. For the .cc files of runtime/linux
// only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/linux/user_namespace.h"
#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

struct JoinedNamespace {
  UniqueFd fd;  // of a namespace, or a pidfd
  int flags = 0;
  std::string name;
};

struct NamespacePlan {
  uint64_t clone_flags = 0;             // new ones made by clone3
  uint64_t unshare_flags = 0;           // new ones made by the child
  std::vector<JoinedNamespace> joined;  // by the child
  // By the parent for the time of the clone: what only a process's children enter (pid, time), and
  // all others where there is a user namespace, in which the child may not enter them any more.
  std::vector<JoinedNamespace> borrowed;
  bool new_time = false;
  std::string time_offsets;  // as /proc/<pid>/timens_offsets takes them

  bool new_user = false;
  UniqueFd user;  // to be joined; not new
  IdMaps ids;     // of the user namespace, whichever

  [[nodiscard]] bool has_user() const { return new_user || user; }
  [[nodiscard]] bool makes(uint64_t flag) const {
    return ((clone_flags | unshare_flags) & flag) != 0;
  }
  // Whether it is not the caller's.
  [[nodiscard]] bool has_own(uint64_t flag) const { return makes(flag) || (other & flag) != 0; }
  uint64_t other = 0;  // joined ones that are not the caller's
};

// EINVAL: an unknown type, one given twice, no mount namespace of its own, mappings or offsets
// without their namespace or that make no sense.
[[nodiscard]] Result<NamespacePlan> plan_namespaces(const oci::Linux& linux);

// Those of `flags` that another process has not in common with us. One that it has can't be joined
// by who is root of a user namespace only: it belongs to the host.
[[nodiscard]] Result<uint64_t> namespaces_unlike_ours(int pidfd, uint64_t flags);

// "/proc/self/ns/net" for CLONE_NEWNET.
[[nodiscard]] std::string own_namespace(uint64_t flag);

}  // namespace strata::linux
