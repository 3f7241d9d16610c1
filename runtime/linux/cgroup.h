// One container's cgroup in every hierarchy of the host: v1 controllers, the v2 tree, or both
// ("hybrid"). The rest of the runtime does not know which.
//
// Source: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst.
// Thread rule: one owner; the static functions may be called from anywhere.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

struct CgroupStats {
  std::optional<uint64_t> memory_bytes, memory_peak_bytes;
  std::optional<uint64_t> cpu_ns;
  std::optional<uint64_t> pids;
  bool oom_killed = false;
};

class Cgroup {
 public:
  // Creates `path` ("/strata/<id>") in each hierarchy and applies `resources`; a resource for
  // which no controller is there is ENOTSUP by name, never ignored. Rolls back on failure.
  [[nodiscard]] static Result<Cgroup> create(const std::string& path,
                                             const oci::Resources& resources);

  // The handle of a cgroup that exists, e.g. another process's; missing hierarchies are fine.
  [[nodiscard]] static Cgroup existing(const std::string& path);

  // A directory descriptor for CLONE_INTO_CGROUP (v2), or -1 where only v1 is there.
  [[nodiscard]] int clone_fd() const;

  // Moves a process into every hierarchy that clone_fd() did not cover.
  [[nodiscard]] Result<void> add(pid_t pid, bool cloned_into) const;

  // Kills everything inside, thawing first (a v1 freezer holds processes even against SIGKILL).
  [[nodiscard]] Result<void> kill_all() const;

  [[nodiscard]] Result<void> freeze() const;
  [[nodiscard]] Result<void> thaw() const;
  [[nodiscard]] CgroupStats stats() const;
  [[nodiscard]] std::vector<pid_t> processes() const;

  // Removes the directories (with those that the container made below); waits shortly for exiting
  // processes. Absence is success.
  [[nodiscard]] Result<void> remove() const;

 private:
  struct Directory {
    std::string path;                      // absolute
    std::vector<std::string> controllers;  // empty for the v2 tree
    bool unified = false;
    UniqueFd fd;
  };
  std::vector<Directory> directories_;
};

}  // namespace strata::linux
