// Mount namespaces prepared once and entered by trials, so that a target finds what it needs and
// the machine itself is left alone: the mounts exist in the view only and end with it.
//
// Thread rule: create() and the view's functions from a single-threaded process only (fork).
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bench {

class MountView {
 public:
  // Runs `prepare` in a child process in a new mount namespace, a private copy of ours, and keeps
  // that namespace. Errors of `prepare` are passed on.
  [[nodiscard]] static Result<MountView> create(const std::function<Result<void>()>& prepare);

  // The namespace as a file, for setns(2); valid in every process while this object lives.
  [[nodiscard]] std::filesystem::path file() const;

 private:
  explicit MountView(UniqueFd ns) : namespace_(std::move(ns)) {}
  UniqueFd namespace_;
};

// The functions below are for `prepare`: they change the mounts of the calling process.

// Mounts a writable union of `layers` (top first) at `<dir>/rootfs`, with its upper layer in `dir`;
// makes what is missing in `dir`.
[[nodiscard]] Result<void> mount_rootfs(const std::vector<std::filesystem::path>& layers,
                                        const std::filesystem::path& dir);

// Puts a fresh tmpfs over each of `paths` that exists; `kept` and what is mounted below it stays in
// place even if it lies below one of them.
[[nodiscard]] Result<void> cover(const std::vector<std::filesystem::path>& paths,
                                 const std::filesystem::path& kept);

// On a machine that has cgroup v1 controllers with a cgroup2 tree beside them (/sys/fs/cgroup/
// unified), shows the v1 hierarchies only, on a tmpfs of the view's own. Elsewhere does nothing.
// Debian 12's crun refuses to work otherwise ("cannot set up cgroup: hybrid"), and both runtimes
// would create plain directories where they take a hierarchy to be.
[[nodiscard]] Result<void> hide_unified_cgroups();

}  // namespace strata::bench
