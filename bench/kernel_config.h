// The kernel options that explain a number or a missing feature. Private to bench/.
//
// Thread rule: any thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace strata::bench {

struct KernelConfig {
  std::string source;                          // as in KernelContext::config_source
  std::map<std::string, std::string> options;  // CONFIG_… to "y", "m", "n" or a value
};

// From /proc/config.gz, else /boot/config-<release>, else as far as the running kernel shows what
// it has ("probed": only options that are seen to be on). `root` is put before those paths.
[[nodiscard]] KernelConfig read_kernel_config(const std::filesystem::path& root,
                                              const std::string& release);

}  // namespace strata::bench
