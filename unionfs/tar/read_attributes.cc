#include "unionfs/tar/read_attributes.h"

#include <archive.h>
#include <archive_entry.h>

#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "unionfs/overlay_xattrs.h"
#include "unionfs/tar/entry_name.h"
#include "unionfs/tar/posix_acl.h"

namespace strata::unionfs::tar {
namespace {

// The highest ID means "no change" to chown(2).
bool is_possible_id(int64_t id) {
  return id >= 0 && id < std::numeric_limits<uint32_t>::max();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// GNU tar writes % and = in xattr names as %25 and %3D, libarchive all that is not plain.
std::string decode_percent(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    if (escape) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

void read_xattrs(archive_entry* entry, std::vector<Xattr>& xattrs) {
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  ::archive_entry_xattr_reset(entry);
  while (::archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
    std::string decoded = decode_percent(name);
    if (is_overlay_xattr(decoded)) continue;
    xattrs.push_back({std::move(decoded), {static_cast<const char*>(value), size}});
  }
}

std::optional<AclTag> acl_tag(int tag) {
  switch (tag) {
    case ARCHIVE_ENTRY_ACL_USER_OBJ:
      return AclTag::kOwner;
    case ARCHIVE_ENTRY_ACL_USER:
      return AclTag::kUser;
    case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
      return AclTag::kGroupOwner;
    case ARCHIVE_ENTRY_ACL_GROUP:
      return AclTag::kGroup;
    case ARCHIVE_ENTRY_ACL_MASK:
      return AclTag::kMask;
    case ARCHIVE_ENTRY_ACL_OTHER:
      return AclTag::kOther;
    default:
      return std::nullopt;
  }
}

// Who an ACL entry speaks of: the number if the tar has it, else a name that is one, or root's.
std::optional<uint32_t> acl_id(int id, const char* name) {
  if (id >= 0) return static_cast<uint32_t>(id);
  const std::string_view text = name != nullptr ? name : "";
  if (text == "root") return 0;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

Result<void> read_acl(archive_entry* entry, int type, const char* xattr_name,
                      std::vector<Xattr>& xattrs) {
  if ((::archive_entry_acl_types(entry) & type) == 0) return {};
  std::vector<AclEntry> acl;
  int found_type = 0, permissions = 0, tag = 0, id = -1;
  const char* name = nullptr;
  ::archive_entry_acl_reset(entry, type);
  while (::archive_entry_acl_next(entry, type, &found_type, &permissions, &tag, &id, &name) ==
         ARCHIVE_OK) {
    const auto known = acl_tag(tag);
    if (!known) return fail(EINVAL, "its access control list is of an unknown kind");
    AclEntry made{*known, static_cast<uint16_t>(permissions & 7)};
    if (made.tag == AclTag::kUser || made.tag == AclTag::kGroup) {
      const auto number = acl_id(id, name);
      if (!number)
        return fail(EINVAL, "its access control list names " +
                                in_quotes(name != nullptr ? name : "") + " without a number");
      made.id = *number;
    }
    acl.push_back(made);
  }
  if (!acl.empty()) xattrs.push_back({xattr_name, encode_acl(std::move(acl))});
  return {};
}

}  // namespace

Result<Attributes> read_attributes(archive_entry* entry) {
  Attributes attributes;
  const int64_t uid = ::archive_entry_uid(entry);
  const int64_t gid = ::archive_entry_gid(entry);
  if (!is_possible_id(uid) || !is_possible_id(gid))
    return fail(EINVAL, "its owner " + std::to_string(uid) + ":" + std::to_string(gid) +
                            " is not possible");
  attributes.uid = static_cast<uid_t>(uid);
  attributes.gid = static_cast<gid_t>(gid);
  attributes.mode = ::archive_entry_mode(entry) & 07777;
  attributes.mtime = {.tv_sec = ::archive_entry_mtime(entry),
                      .tv_nsec = ::archive_entry_mtime_nsec(entry)};
  read_xattrs(entry, attributes.xattrs);
  STRATA_CHECK(
      read_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", attributes.xattrs));
  STRATA_CHECK(read_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default",
                        attributes.xattrs));
  return attributes;
}

}  // namespace strata::unionfs::tar
