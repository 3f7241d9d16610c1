// What every container finds in /dev (runtime-spec, config-linux.md, "Default Devices";
// runtime-linux.md, "Dev symbolic links").
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::linux {

// Fills the directory: null zero full random urandom tty (0666), and the links ptmx, fd, stdin,
// stdout, stderr, core. What is there already in the same form is fine. Returns the names of the
// nodes that the kernel refused to make (no CAP_MKNOD, a user namespace): there the host's have to
// be bound. REQUIRES: umask 0.
[[nodiscard]] Result<std::vector<std::string>> populate_dev(int dev);

// Gives the directory and all that populate_dev() makes to a user; what is not there is fine.
[[nodiscard]] Result<void> give_dev_to(int dev, uid_t uid, gid_t gid);

// A node of the spec (`linux.devices`) as the kernel takes it.
struct DeviceNode {
  std::string path;  // absolute, in the container
  mode_t mode = 0;   // with the type
  dev_t number = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
// EINVAL: an unknown type, a path that is not absolute and plain, a number out of range.
[[nodiscard]] Result<DeviceNode> device_node(const oci::Device& device);

// Makes the node in `root`, where its path leads, with the directories that are missing. One that
// is there with the same type and number is fine, another is EEXIST. 0, or -1 with errno.
// Async-signal-safe. REQUIRES: umask 0.
[[nodiscard]] int make_node(int root, const char* path, const DeviceNode& node) noexcept;

}  // namespace strata::linux
