// POSIX ACLs as the kernel keeps them in system.posix_acl_access and system.posix_acl_default
// (include/uapi/linux/posix_acl_xattr.h), made from what tars say in words (SCHILY.acl.*).
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unionfs/base/result.h"

namespace strata::unionfs::tar {

// In the order in which the kernel wants them.
enum class AclTag : uint16_t {
  kOwner = 0x01,
  kUser = 0x02,
  kGroupOwner = 0x04,
  kGroup = 0x08,
  kMask = 0x10,
  kOther = 0x20,
};

struct AclEntry {
  AclTag tag = AclTag::kOther;
  uint16_t permissions = 0;  // r 4, w 2, x 1
  uint32_t id = UINT32_MAX;  // of kUser and kGroup
};

// The xattr's value; entries are put into the kernel's order.
[[nodiscard]] std::string encode_acl(std::vector<AclEntry> entries);

}  // namespace strata::unionfs::tar
