// An OCI bundle's config.json made from a runtime's own template (`crun spec`, `runc spec`).
// Private to targets/. Thread rule: pure function.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::bench {

struct BundleOptions {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd = "/";
  std::filesystem::path rootfs;
  std::string cgroups_path;
};

// The template with the command put in and the features brought to what `strata run` gives: no
// terminal, a writable root, the default capabilities of docker, a cgroup namespace besides those
// of the template. What the template does not have, a seccomp filter above all, it does not get:
// that is in favour of the peers.
[[nodiscard]] Result<std::string> adapt_bundle(std::string_view spec_template,
                                               const BundleOptions& options);

}  // namespace strata::bench
