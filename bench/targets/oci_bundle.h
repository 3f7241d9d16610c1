// The config.json of the bundle that every OCI runtime is given: one and the same, so that what
// differs is the runtime. Private to targets/. Thread rule: pure function.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace strata::bench {

struct BundleOptions {
  std::vector<std::string> args;
  std::vector<std::string> env;
  std::string cwd = "/";
  std::filesystem::path rootfs;
  std::string cgroups_path;
};

// What `runc spec` and `crun spec` write, with the features brought to what `strata run` gives: no
// terminal, a writable root, docker's default capabilities, a cgroup namespace. It has no seccomp
// filter, which is in favour of the runtimes that compile one for every start.
[[nodiscard]] std::string bundle_config(const BundleOptions& options);

}  // namespace strata::bench
