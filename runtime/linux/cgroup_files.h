// Control files in a cgroup directory, by descriptor. For the .cc files of runtime/linux only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runtime/linux/cgroup.h"

namespace strata::linux {

// One write of `text`; the error names the file and the value.
[[nodiscard]] Result<void> write_cgroup_file(const Cgroup::Directory& directory, const char* file,
                                             std::string_view text);

// The content; a file that is not there is nullopt, and so is any other fault.
[[nodiscard]] std::optional<std::string> read_cgroup_file(const Cgroup::Directory& directory,
                                                          const char* file);

// The value of "<key> <number>" in a flat keyed file, or of a file that is one number (empty key).
[[nodiscard]] std::optional<uint64_t> read_cgroup_number(const Cgroup::Directory& directory,
                                                         const char* file,
                                                         std::string_view key = {});

}  // namespace strata::linux
