// Limits of a spec as writes to a cgroup's control files. For the .cc files of runtime/linux only.
//
// A limit is written to the controller that the host has, v1 or v2. What it has no controller for,
// or what only the other version knows, is ENOTSUP with the limit's JSON path; what the kernel
// refuses has the file's name, too.
//
// Source: runtime-spec config-linux.md, "Control groups"; Documentation/admin-guide/cgroup-v1/ and
// cgroup-v2.rst; where v2 counts otherwise, the conversions of runc and crun.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/linux/cgroup.h"

namespace strata::linux {

// Applies the limits and device rules to a new cgroup's directories.
[[nodiscard]] Result<void> apply_resources(const std::vector<Cgroup::Directory>& directories,
                                           const oci::Resources& resources);

// The limits alone, also to a cgroup in use.
[[nodiscard]] Result<void> apply_limits(const std::vector<Cgroup::Directory>& directories,
                                        const oci::Resources& resources);

// The controllers that the limits are for, by their names in v1 and v2.
[[nodiscard]] std::vector<std::string_view> controllers_for(const oci::Resources& resources);

// cpu.weight (1 to 10000) for cpu.shares (2 to 262144), as runc and crun convert it.
[[nodiscard]] uint64_t weight_of_shares(uint64_t shares);

// The directories of one cgroup as a place to write limits to.
class LimitWriter {
 public:
  using Directory = Cgroup::Directory;
  explicit LimitWriter(const std::vector<Directory>& directories) : directories_(directories) {}

  // Where one of the controllers is: v1 before v2, as a controller can be in one of them only.
  // `limit` is the JSON path below linux.resources.
  [[nodiscard]] Result<const Directory*> find(const char* controller, const char* limit) const;

  // Writes to the controller's file of the version that is there; nullptr: that one has none.
  [[nodiscard]] Result<void> write(const char* controller, const char* limit, const char* v1_file,
                                   const char* v2_file, const std::string& text) const;

  [[nodiscard]] const Directory* unified() const;

 private:
  const std::vector<Directory>& directories_;
};

[[nodiscard]] Result<void> unsupported_limit(const char* limit, std::string_view why);

// By controller.
[[nodiscard]] Result<void> apply_memory(const LimitWriter& writer, const oci::Resources& resources);
[[nodiscard]] Result<void> apply_cpu(const LimitWriter& writer, const oci::Resources& resources);
[[nodiscard]] Result<void> apply_block_io(const LimitWriter& writer, const oci::BlockIo& block_io);

}  // namespace strata::linux
