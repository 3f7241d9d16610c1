#include "runtime/bundle/listener.h"

#include "runtime/linux/seccomp_listener.h"

namespace strata::bundle {

Result<void> hand_over_listener(const Record& record, Status status, const oci::Spec& spec,
                                linux::Launched& launched) {
  if (!launched.seccomp_listener()) return {};
  const auto& seccomp = *spec.linux.seccomp;
  const auto state = listener_state_json(record, status, launched.pid(), seccomp.listener_metadata);
  STRATA_CHECK(linux::send_seccomp_listener(seccomp.listener_path, state,
                                            launched.seccomp_listener().get()));
  launched.seccomp_listener().reset();
  return {};
}

}  // namespace strata::bundle
