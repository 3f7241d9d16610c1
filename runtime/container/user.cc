#include "runtime/container/user.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "runtime/linux/sys.h"
#include "unionfs/base/unique_fd.h"

namespace strata::container {
namespace {

constexpr size_t kMaxFile = size_t{16} << 20;
constexpr uint32_t kMaxId = 0x7FFFFFFF;  // docker's bound, too

std::optional<uint32_t> parse_id(std::string_view text) {
  uint32_t id = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || id > kMaxId)
    return std::nullopt;
  return id;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

struct PasswdEntry {
  std::string_view name, home;
  uint32_t uid = 0;
  uint32_t gid = 0;
};

std::optional<PasswdEntry> parse_passwd(std::string_view line) {
  constexpr size_t kUid = 2;
  constexpr size_t kGid = 3;
  constexpr size_t kHome = 5;
  const auto fields = split(line, ':');
  if (fields.size() <= kHome) return std::nullopt;
  const auto uid = parse_id(fields[kUid]);
  const auto gid = parse_id(fields[kGid]);
  if (!uid || !gid || fields[0].empty()) return std::nullopt;
  return PasswdEntry{fields[0], fields[kHome], *uid, *gid};
}

struct GroupEntry {
  std::string_view name, members;
  uint32_t gid = 0;
};

std::optional<GroupEntry> parse_group(std::string_view line) {
  constexpr size_t kGid = 2;
  constexpr size_t kMembers = 3;
  const auto fields = split(line, ':');
  if (fields.size() <= kMembers) return std::nullopt;
  const auto gid = parse_id(fields[kGid]);
  if (!gid || fields[0].empty()) return std::nullopt;
  return GroupEntry{fields[0], fields[kMembers], *gid};
}

// The first line of `text` for which `parse` gives an entry that `matches`.
template <class Parse, class Matches>
auto find_entry(std::string_view text, Parse parse, Matches matches) -> decltype(parse(text)) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (auto entry = parse(text.substr(0, end)); entry && matches(*entry)) return entry;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

Result<std::optional<PasswdEntry>> find_user(std::string_view user, std::string_view passwd) {
  const auto by_name =
      find_entry(passwd, parse_passwd, [&](const auto& entry) { return entry.name == user; });
  if (by_name) return by_name;
  if (!is_number(user))
    return fail(EINVAL, "there is no user '" + std::string(user) + "' in the image's /etc/passwd");
  const auto uid = parse_id(user);
  if (!uid) return fail(EINVAL, "user ID " + std::string(user) + " is out of range");
  return find_entry(passwd, parse_passwd, [&](const auto& entry) { return entry.uid == *uid; });
}

Result<uint32_t> find_group(std::string_view name, std::string_view group) {
  const auto entry =
      find_entry(group, parse_group, [&](const auto& candidate) { return candidate.name == name; });
  if (entry) return entry->gid;
  if (!is_number(name))
    return fail(EINVAL, "there is no group '" + std::string(name) + "' in the image's /etc/group");
  const auto gid = parse_id(name);
  if (!gid) return fail(EINVAL, "group ID " + std::string(name) + " is out of range");
  return *gid;
}

// The groups that list the user as a member.
std::vector<uint32_t> groups_of(std::string_view user, std::string_view group) {
  std::vector<uint32_t> gids;
  (void)find_entry(group, parse_group, [&](const auto& entry) {
    const auto members = split(entry.members, ',');
    if (std::find(members.begin(), members.end(), user) != members.end() &&
        std::find(gids.begin(), gids.end(), entry.gid) == gids.end())
      gids.push_back(entry.gid);
    return false;  // go on to the end
  });
  return gids;
}

// The content of a regular file in the root; empty if there is none.
std::string read_in_root(int root, const char* path) {
  const UniqueFd fd(
      linux::sys::openat2(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, linux::sys::kInRoot));
  struct stat st {};
  if (!fd || ::fstat(fd.get(), &st) < 0 || !S_ISREG(st.st_mode)) return {};
  std::string content(std::min(static_cast<size_t>(st.st_size), kMaxFile), '\0');
  size_t used = 0;
  while (used < content.size()) {
    const ssize_t n =
        ::pread(fd.get(), content.data() + used, content.size() - used, static_cast<off_t>(used));
    if (n <= 0) break;
    used += static_cast<size_t>(n);
  }
  content.resize(used);
  return content;
}

}  // namespace

Result<ResolvedUser> resolve_user(std::string_view user, std::string_view passwd,
                                  std::string_view group) {
  const auto colon = user.find(':');
  const std::string_view name = colon == 0 || user.empty() ? "0" : user.substr(0, colon);
  const std::string_view group_name =
      colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);

  ResolvedUser resolved;
  STRATA_TRY(const auto entry, find_user(name, passwd));
  if (entry) {
    resolved.ids.uid = entry->uid;
    resolved.ids.gid = entry->gid;
    if (entry->home.starts_with('/')) resolved.home = entry->home;
  } else {
    resolved.ids.uid = *parse_id(name);
  }
  if (!group_name.empty()) {
    STRATA_TRY(resolved.ids.gid, find_group(group_name, group));
  } else if (entry) {
    resolved.ids.additional_gids = groups_of(entry->name, group);
  }
  return resolved;
}

Result<ResolvedUser> resolve_user_in(int root, std::string_view user) {
  return resolve_user(user, read_in_root(root, "etc/passwd"), read_in_root(root, "etc/group"));
}

}  // namespace strata::container
