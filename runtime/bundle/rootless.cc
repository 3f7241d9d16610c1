#include "runtime/bundle/rootless.h"

#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>

#include "runtime/linux/capabilities.h"
#include "runtime/linux/own_user_namespace.h"

namespace strata::bundle {
namespace {

Result<bool> has_privileges() {
  if (::geteuid() == 0) return true;
  STRATA_TRY(const auto own, linux::own_capabilities());
  return (own.effective & (linux::CapabilityMask{1} << CAP_SYS_ADMIN)) != 0;
}

}  // namespace

Result<void> become_root_for(Bundle& bundle) {
  STRATA_TRY(const bool privileged, has_privileges());
  if (privileged) return {};
  auto& linux = bundle.spec.linux;
  const auto user = std::find_if(linux.namespaces.begin(), linux.namespaces.end(),
                                 [](const oci::Namespace& ns) { return ns.type == "user"; });
  if (user == linux.namespaces.end())
    return fail(EINVAL, "rootless container requires user namespaces");
  if (!user->path.empty())
    return fail(ENOTSUP,
                "linux.namespaces: a user without privileges can't join the user namespace '" +
                    user->path + "': give the container one of its own");
  if (!bundle.spec.process.user.additional_gids.empty() && linux.gid_mappings.size() == 1 &&
      linux.gid_mappings.front().size == 1)
    return fail(EINVAL,
                "process.user.additionalGids: cannot set any additional groups in a rootless "
                "container with one group");
  STRATA_CHECK(linux::enter_new_user_namespace({linux.uid_mappings, linux.gid_mappings}));
  linux.namespaces.erase(user);
  linux.uid_mappings.clear();
  linux.gid_mappings.clear();
  return {};
}

Result<void> become_root_in(const Container& container) {
  if (::geteuid() == 0) return {};
  STRATA_TRY(const UniqueFd init, container.open_init());
  return linux::enter_user_namespace_of(init.get());
}

}  // namespace strata::bundle
