// Programs that are run at points of a container's life: `hooks` of config.json (runtime-spec
// config.md, "POSIX-platform Hooks").
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace strata::oci {

struct Hook {
  std::string path;               // absolute
  std::vector<std::string> args;  // with argv[0]; empty: the path alone
  std::vector<std::string> env;
  std::optional<int> timeout;  // seconds, positive
};

struct Hooks {
  std::vector<Hook> prestart, create_runtime, create_container, start_container, poststart,
      poststop;

  [[nodiscard]] bool empty() const {
    return prestart.empty() && create_runtime.empty() && create_container.empty() &&
           start_container.empty() && poststart.empty() && poststop.empty();
  }
};

}  // namespace strata::oci
