// A bundle: a directory with a configuration and, mostly, the root file system that it names.
//
// Thread rule: plain values.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {

struct Bundle {
  std::filesystem::path directory;  // absolute
  std::filesystem::path rootfs;     // absolute
  std::string config;               // the text of config.json
  oci::Spec spec;
  uint32_t owner = 0;  // user ID of who makes a container of it
};

// Reads <directory>/config.json. ENOENT says that it is not there; what is wrong in it is EINVAL
// with its JSON path.
[[nodiscard]] Result<Bundle> load_bundle(const std::filesystem::path& directory);

// The same from the text of a configuration.
[[nodiscard]] Result<Bundle> parse_bundle(std::filesystem::path directory, std::string config);

// A detached, private copy of what is mounted at the bundle's root file system.
[[nodiscard]] Result<UniqueFd> open_rootfs(const Bundle& bundle);

}  // namespace strata::bundle
