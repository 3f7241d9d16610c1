// What several targets need. Private to targets/.
//
// Thread rule: main thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench/mount_view.h"
#include "bench/workload.h"
#include "unionfs/base/result.h"
#include "unionfs/base/subprocess.h"

namespace strata::bench {

// "<name> is not installed", or nullopt.
[[nodiscard]] std::optional<std::string> lacks_program(const std::string& name);

// The first line of what `<program> --version` prints; empty if it doesn't.
[[nodiscard]] std::string version_of(const std::string& program);

// The environment that a runtime's own program is started with: a search path and a home, nothing
// of the person's who runs the harness.
[[nodiscard]] std::vector<std::string> tool_environment();

// A view with a writable union of the image's layers at `<dir>/rootfs`.
[[nodiscard]] Result<MountView> rootfs_view(const Workload& workload,
                                            const std::filesystem::path& dir);

// The same for a container runtime: /run, /var/lib and /dev/shm are empty and the view's own, and
// the cgroup tree is one that every runtime accepts. Without `with_rootfs` no union is mounted.
[[nodiscard]] Result<MountView> runtime_view(const Workload& workload,
                                             const std::filesystem::path& dir, bool with_rootfs);

// Runs a program to its end inside a view.
[[nodiscard]] Result<Completed> run_in_view(const std::string& launcher, const MountView& view,
                                            Command command);

}  // namespace strata::bench
