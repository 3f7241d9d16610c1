#include "runtime/vm/init/guest.h"

namespace strata::vm::guest {
namespace {

constexpr uint32_t kMaxId = 0x7FFFFFFF;  // docker's bound

bool parse_id(std::string_view text, uint32_t& id) {
  uint64_t number = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9' || number > kMaxId) return false;
    number = number * 10 + static_cast<uint64_t>(digit - '0');
  }
  id = static_cast<uint32_t>(number);
  return !text.empty() && number <= kMaxId;
}

// Field `index` of a line of colon-separated fields; empty where there are fewer.
std::string_view field(std::string_view line, int index) {
  for (; index > 0; --index) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    line.remove_prefix(colon + 1);
  }
  return line.substr(0, line.find(':'));
}

// Calls `take(line)` for each line until it returns true; whether one did.
template <class Take>
bool any_line(std::string_view text, Take take) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (take(text.substr(0, end))) return true;
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return false;
}

bool is_member(std::string_view members, std::string_view name) {
  while (!members.empty()) {
    const size_t comma = members.find(',');
    if (members.substr(0, comma) == name) return true;
    if (comma == std::string_view::npos) break;
    members.remove_prefix(comma + 1);
  }
  return false;
}

// Takes uid, gid and home from the line of /etc/passwd with this name or, failing that, number;
// returns the user's name there. An unlisted number is fine, an unlisted name is not.
std::string_view take_user(std::string_view name, User& user) {
  uint32_t number = 0;
  const bool is_number = parse_id(name, number);
  const std::string_view passwd = read_whole_file("/etc/passwd");
  std::string_view found;
  const auto take = [&](std::string_view line) {
    uint32_t uid = 0;
    uint32_t gid = 0;
    if (!parse_id(field(line, 2), uid) || !parse_id(field(line, 3), gid)) return false;
    user.uid = uid;
    user.gid = gid;
    const std::string_view home = field(line, 5);
    if (home.starts_with('/')) user.home = copy_string(home);
    found = field(line, 0);
    return true;
  };
  const bool listed =
      any_line(passwd, [&](auto line) { return field(line, 0) == name && take(line); }) ||
      (is_number && any_line(passwd, [&](auto line) {
         uint32_t uid = 0;
         return parse_id(field(line, 2), uid) && uid == number && take(line);
       }));
  if (listed) return found;
  if (!is_number) fail(kOurFailure, {"there is no user '", name, "' in the image's /etc/passwd"});
  user.uid = number;
  return {};
}

gid_t find_group(std::string_view name, std::string_view groups) {
  uint32_t gid = 0;
  const bool listed = any_line(groups, [&](std::string_view line) {
    return field(line, 0) == name && parse_id(field(line, 2), gid);
  });
  if (!listed && !parse_id(name, gid))
    fail(kOurFailure, {"there is no group '", name, "' in the image's /etc/group"});
  return gid;
}

}  // namespace

User resolve_user(std::string_view text) {
  User user;
  const size_t colon = text.find(':');
  std::string_view name = text.substr(0, colon);
  if (name.empty()) name = "0";
  const std::string_view listed = take_user(name, user);
  const std::string_view groups = read_whole_file("/etc/group");
  if (colon != std::string_view::npos && colon + 1 < text.size()) {
    user.gid = find_group(text.substr(colon + 1), groups);
  } else if (!listed.empty()) {
    (void)any_line(groups, [&](std::string_view line) {
      uint32_t gid = 0;
      constexpr size_t kMost = sizeof user.groups / sizeof user.groups[0];
      if (is_member(field(line, 3), listed) && parse_id(field(line, 2), gid))
        user.groups[user.group_count++] = gid;
      return user.group_count == kMost;
    });
  }
  return user;
}

}  // namespace strata::vm::guest
