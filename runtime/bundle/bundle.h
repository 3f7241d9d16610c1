// A bundle: a directory with a configuration and, mostly, the root file system that it names.
//
// Thread rule: plain values.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"
#include "unionfs/base/unique_fd.h"

namespace strata::bundle {

struct Bundle {
  std::filesystem::path directory;  // absolute
  std::filesystem::path rootfs;     // absolute
  std::string config;               // the text of config.json
  oci::Spec spec;
  uint32_t owner = 0;                     // user ID of who makes a container of it
  std::vector<std::string> unknown = {};  // members of config.json that nobody knows, by path
};

// Whether Bundle::unknown is filled, which takes a little time.
enum class UnknownMembers { kPassOver, kList };

// Reads <directory>/config.json. ENOENT says that it is not there; what is wrong in it is EINVAL
// with its JSON path.
[[nodiscard]] Result<Bundle> load_bundle(const std::filesystem::path& directory,
                                         UnknownMembers unknown = UnknownMembers::kPassOver);

// The same from the text of a configuration.
[[nodiscard]] Result<Bundle> parse_bundle(std::filesystem::path directory, std::string config,
                                          UnknownMembers unknown = UnknownMembers::kPassOver);

// A detached, private copy of what is mounted at the bundle's root file system.
[[nodiscard]] Result<UniqueFd> open_rootfs(const Bundle& bundle);

}  // namespace strata::bundle
