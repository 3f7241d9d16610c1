// From a user as people write it ("postgres", "33:www-data") to numbers, with the image's own
// /etc/passwd and /etc/group.
//
// The rules are docker's (moby/sys/user, GetExecUser): a number need not be in the files; a name
// must be; without a group, the user's own and those that /etc/group lists the user in.
//
// The files are a stranger's: they are opened inside the container's root whatever symbolic links
// say, read only if they are regular files of a sane size, and lines that make no sense are passed
// over.
//
// Thread rule: functions may be called from any thread.
#pragma once

#include <string>
#include <string_view>

#include "runtime/oci/spec.h"
#include "unionfs/base/result.h"

namespace strata::container {

struct ResolvedUser {
  oci::User ids;
  std::string home = "/";
};

// With the contents of the two files. EINVAL: a name that is not in them, a number out of range.
[[nodiscard]] Result<ResolvedUser> resolve_user(std::string_view user, std::string_view passwd,
                                                std::string_view group);

// With the files in `root`, a descriptor of a directory; files that are missing count as empty.
[[nodiscard]] Result<ResolvedUser> resolve_user_in(int root, std::string_view user);

}  // namespace strata::container
