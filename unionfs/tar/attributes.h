// What a file is besides its name and content. Plain values.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <string>
#include <vector>

namespace strata::unionfs::tar {

struct Xattr {
  std::string name;
  std::string value;
};

struct Attributes {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0;  // permission bits with setuid, setgid and sticky; no file type
  timespec mtime{};
  std::vector<Xattr> xattrs;
};

}  // namespace strata::unionfs::tar
