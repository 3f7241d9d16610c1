// A unix socket where a test waits for what runtimes hand to engines: one message with a descriptor
// beside it (unix(7), SCM_RIGHTS).
#pragma once

#include <filesystem>
#include <string>

#include "unionfs/base/unique_fd.h"

namespace strata::testing {

class DescriptorSocket {
 public:
  // Bound to `path` and listening; a failure is reported as a failed expectation.
  explicit DescriptorSocket(const std::filesystem::path& path);

  struct Received {
    std::string text;
    UniqueFd fd;  // empty if there was none
  };

  // Waits for the next that connects, and for its message.
  Received receive();

 private:
  UniqueFd socket_;
};

}  // namespace strata::testing
