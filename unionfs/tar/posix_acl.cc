#include "unionfs/tar/posix_acl.h"

#include <algorithm>
#include <tuple>

namespace strata::unionfs::tar {
namespace {

template <class Unsigned>
void append_little_endian(std::string& out, Unsigned value) {
  for (size_t i = 0; i < sizeof value; ++i)
    out += static_cast<char>((static_cast<uint64_t>(value) >> (8 * i)) & 0xff);
}

}  // namespace

std::string encode_acl(std::vector<AclEntry> entries) {
  constexpr uint32_t kVersion = 2;  // POSIX_ACL_XATTR_VERSION
  std::ranges::sort(entries, {}, [](const AclEntry& e) { return std::tuple(e.tag, e.id); });
  std::string value;
  append_little_endian(value, kVersion);
  for (const AclEntry& entry : entries) {
    append_little_endian(value, static_cast<uint16_t>(entry.tag));
    append_little_endian(value, entry.permissions);
    append_little_endian(value, entry.id);
  }
  return value;
}

}  // namespace strata::unionfs::tar
