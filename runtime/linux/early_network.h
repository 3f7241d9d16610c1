// A network namespace made beside the rest of the set-up. Making one takes the kernel about as long
// as everything else that the container's process does (copy_net_ns() in
// net/core/net_namespace.c), and needs nothing of what the caller prepares meanwhile.
//
// Thread rule: one owner. While it is under way there is a second thread, which holds no lock and
// may outlast take() if it was never scheduled.
#pragma once

#include <memory>

#include "runtime/oci/spec.h"
#include "unionfs/base/unique_fd.h"

namespace strata::linux {

class EarlyNetwork {
 public:
  // Starts, if there is to be a new network namespace that belongs to the caller's user namespace,
  // and another CPU to make it on.
  [[nodiscard]] static EarlyNetwork begin(const oci::Linux& linux);
  [[nodiscard]] static EarlyNetwork begin();

  // Waits until it is made and its loopback is up. Empty: it was not begun, no CPU got to it, or
  // it could not be made, and whoever needs one makes it himself and says what is wrong.
  [[nodiscard]] UniqueFd take();

 private:
  struct Work;
  std::shared_ptr<Work> work_;
};

}  // namespace strata::linux
